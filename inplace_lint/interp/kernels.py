"""``torch.library``: functions that become operators of their own. Autograd does not see into them, and records the call instead.

What such a function is run with may require grad, yet nothing that it does is recorded. Whether the operator's result requires
grad is up to ``register_autograd``, which is an assumption here.
"""

from __future__ import annotations

from collections.abc import Callable

from inplace_lint.domain.state import State
from inplace_lint.domain.values import Value
from inplace_lint.interp import instances
from inplace_lint.interp.engine import Engine
from inplace_lint.interp.registry import CallSite, symbol

_WITH_FUNCTION = {
    "torch.library.custom_op": (1, "fn"),
    "torch.library.triton_op": (1, "fn"),
    "torch.library.impl": (2, "func"),
    "torch.library.register_kernel": (2, "func"),
    "torch.library.register_fake": (1, "func"),
}
"""Where each takes the function, and what the parameter is called; without one it is a decorator."""


def _registering(position: int, parameter: str) -> Callable[[Engine, State, CallSite], Value]:
    def register(engine: Engine, state: State, site: CallSite) -> Value:
        """``custom_op(name, f, mutates_args=())``, or without ``f`` a decorator."""
        function = site.argument(position, parameter)
        if function is None:
            return instances.make_outside(engine, state, instances.KERNEL, site)
        return instances.decorate(state, instances.KERNEL, None, function)

    return register


for _path, (_position, _parameter) in _WITH_FUNCTION.items():
    symbol(_path)(_registering(_position, _parameter))
