"""What the interpreter saw happen: typed events, from which rules make diagnostics.

An event speaks of autograd (a leaf was written, a saved tensor was overwritten), never of rule codes,
source text or output formats. Rules speak of those, and of nothing that the interpreter does inside.
This module imports nothing of ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Union


@dataclass(frozen=True, slots=True, order=True)
class Site:
    """A place in the source: the file's key and the origin of the syntax there."""

    file: str
    origin: int


WriteForm = Literal[
    "operator",  # y += 1
    "method",  # y.add_(1)
    "item",  # y[0] = 1
    "function",  # F.relu(y, inplace=True), torch.relu_(y)
    "module",  # a call of nn.ReLU(inplace=True)
    "out",  # torch.add(a, b, out=y)
    "step",  # optimizer.step()
    "attribute",  # y.data = z, y.requires_grad = ...
    "call",  # a module's own bookkeeping, load_state_dict, ...
]


Held = Literal[
    "name",  # a plain name of the running code
    "slot",  # an element of a list or a dict
    "frozen",  # an element of a tuple
    "view",  # it is a view
    "outer",  # a name of code around the running one
    "other",  # anything else, or several of these
]


Root = Literal[
    "tensor",  # a tensor
    "elements",  # a list or dict that holds the tensor, or the one it views, as an element
    "attributes",  # an object that holds it under the attribute which the source names
    "other",  # something from which nobody can tell how to get to the tensor: a tuple, a nest of containers
]


@dataclass(frozen=True, slots=True)
class Use:
    """A call of a module that writes in place. made, called: the two places. unseen: nothing holds the input but the call itself.

    alone: at most one plain name of the calling code holds it.
    """

    made: Site
    called: Site
    unseen: bool
    alone: bool


@dataclass(frozen=True, slots=True)
class Write:
    """One in-place write.

    site: the syntax that writes. op: the spelling (``+=``, ``add_``, ``[...] =``, ``relu``, ``step``).
    target: how the source names what is written, where it has a name.
    in_no_grad: grad mode was off. flag_site: where ``inplace=True`` was chosen, if not at ``site``.
    held: what refers to the tensor. alone: nothing but the name that ``target`` starts with holds it, or (for a view) its base,
    and nothing shares its memory: nobody would notice if that name were bound to another tensor.
    alike: there are other tensors in the operation, all of its dtype, so that the result out of place has it too.
    graph: a recorded operation may have made the tensor or still needs it, or an operand requires grad: unrecorded, the write
    would lose gradients, or spoil them.
    root: what the name stands for that ``target`` starts with. array: it is a NumPy array.
    uses: of a module, every call that was seen of what has the same ``flag_site`` or ``site``.
    """

    site: Site
    form: WriteForm
    op: str
    target: str | None = None
    in_no_grad: bool = False
    flag_site: Site | None = None
    held: Held = "other"
    alone: bool = False
    alike: bool = False
    graph: bool = True
    root: Root = "tensor"
    array: bool = False
    uses: tuple[Use, ...] = ()


@dataclass(frozen=True, slots=True)
class Context:
    """What holds of every event.

    assumptions: what had to be assumed about callers, as sentences; none means that the code alone shows it.
    calls: the call sites through which the write was reached, outermost first.
    function: the qualified name of the definition from which the analysis started.
    compiled: it runs under torch.compile, where PyTorch's own check may be lost.
    computed: what is assumed to require grad is computed with, so that it holds floating-point numbers.
    asked: the code itself asks whether that requires grad. grows: what is expanded is larger afterwards.
    evaluates: a flag that a caller has to set says that nothing is trained.
    """

    assumptions: tuple[str, ...] = ()
    calls: tuple[Site, ...] = ()
    function: str = "<module>"
    compiled: bool = False
    computed: bool = True
    asked: bool = True
    grows: bool = True
    evaluates: bool = False


@dataclass(frozen=True, slots=True)
class LeafWritten:
    """A leaf that requires grad (or, with ``view``, a view of one) is written in grad mode: raises at the write."""

    write: Write
    view: bool
    leaf_site: Site | None
    view_site: Site | None
    view_op: str | None
    context: Context


@dataclass(frozen=True, slots=True)
class OutOfGrad:
    """``out=`` where an input or the output requires grad: raises at the call."""

    write: Write
    op: str
    context: Context


@dataclass(frozen=True, slots=True)
class SavedOverwritten:
    """A tensor that a graph node saved was written, and that node's backward runs afterwards.

    what: the role of the saved tensor, ``input`` or ``result``. saved_by: the op as the source spells it.
    node: PyTorch's name of the node (``ReluBackward0``). parameter: the saved tensor is a leaf that requires grad.
    through: None where the version counter sees the write (backward raises); else how it was hidden
    (``data``, ``numpy``, ``fused``, ``statistics``; ``attribute``: the tensor is kept as an attribute of a custom Function's
    context): nothing raises and the gradients are wrong.
    backward_site: where backward is called; None where the result is returned to be trained.
    in_loop: the write belongs to a later round of the same loop than the save.
    shape: the saved tensor's sizes, None for one that is unknown, or where none is known. interior: an operation made it, so far
    as is known.
    """

    write: Write
    save_site: Site
    saved_by: str
    what: Literal["input", "result"]
    node: str | None
    parameter: bool
    through: Literal["data", "numpy", "fused", "statistics", "attribute", "untracked"] | None
    backward_site: Site | None
    in_loop: bool
    context: Context
    shape: tuple[int | None, ...] | None = None
    interior: bool = True


@dataclass(frozen=True, slots=True)
class BadViewWritten:
    """A view that must not be written in grad mode is: raises at the write, or on the view's next use.

    kind: ``multi`` one of several outputs of one op; ``no_grad`` / ``inference`` a view made in that mode;
    ``function`` a view that a custom Function returned; ``hook`` what passes a module with a full backward hook, which is one;
    ``detach`` ``detach_()`` on a view.
    view_op: the op that made the view. used_site: set where the base is what was written and the view's use raises.
    """

    write: Write
    kind: Literal["multi", "no_grad", "inference", "function", "hook", "detach"]
    view_site: Site | None
    view_op: str | None
    used_site: Site | None
    context: Context


@dataclass(frozen=True, slots=True)
class GradientWritten:
    """A gradient is written by the one it was lent to: others may be given the same one.

    by: ``hook`` a tensor's or a module's hook, ``backward`` a custom Function's own. given_site: where that was
    registered or applied.
    """

    write: Write
    by: Literal["hook", "backward"]
    given_site: Site
    context: Context


@dataclass(frozen=True, slots=True)
class ExpandedWritten:
    """Memory in which several elements share one place is written: raises at the write.

    later: the write passes, and its own backward raises, which runs at ``backward_site`` (None where the result is returned to be
    trained).
    """

    write: Write
    expand_site: Site | None
    context: Context
    later: bool = False
    backward_site: Site | None = None


@dataclass(frozen=True, slots=True)
class InferenceTensorUsed:
    """An inference tensor is written outside inference mode, or saved for backward: raises there."""

    site: Site
    made_site: Site | None
    saved_by: str | None
    write: Write | None
    context: Context


@dataclass(frozen=True, slots=True)
class SecondBackward:
    """Backward runs through a graph that an earlier backward freed: raises.

    shared_site: a node that both pass through, where the graphs' common part was made.
    """

    site: Site
    first_site: Site
    shared_site: Site | None
    shared_op: str | None
    in_loop: bool
    context: Context


@dataclass(frozen=True, slots=True)
class InteriorGradRead:
    """``.grad`` of an interior tensor that does not retain it is read: None, with a warning."""

    site: Site
    made_site: Site | None
    made_by: str | None
    context: Context


@dataclass(frozen=True, slots=True)
class ParameterRebound:
    """A leaf's name is rebound, in its own update, to an interior tensor made from the leaf and its ``.grad``."""

    site: Site
    leaf_site: Site | None
    name: str
    context: Context


@dataclass(frozen=True, slots=True)
class GaveUp:
    """A definition took more than its budget; what was found in it before stands.

    callee: the call of it took too much and is left out, the rest was analysed.
    """

    site: Site
    reason: str
    context: Context
    callee: str | None = None


Event = Union[  # noqa: UP007
    LeafWritten, OutOfGrad, SavedOverwritten, BadViewWritten, GradientWritten, ExpandedWritten, InferenceTensorUsed,
    SecondBackward, InteriorGradRead, ParameterRebound, GaveUp,
]  # fmt: skip
