"""Finds an op's row by its Python spelling.

The rows are text files beside this module, written by ``python -m tools.opmodel``. A file is read when the first of
its kind is asked for, split into lines, and each row is decoded on first use, so that start-up costs next to nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache, cached_property
from importlib import resources
from typing import Generic, TypeVar

from inplace_lint.opmodel import rows
from inplace_lint.opmodel.schema import ModuleOp, Op, OptimizerRow, TensorAttribute

Row = TypeVar("Row")

FORMAT = "inplace-lint op model 1"


class Table(Generic[Row]):
    """One data file: spelling -> row, decoded on demand."""

    def __init__(self, name: str, decode: Callable[[str, str], Row]) -> None:
        self.name = name
        self._decode = decode
        self._lines: dict[str, str] | None = None
        self._rows: dict[str, Row] = {}
        self._version = ""

    def _load(self) -> dict[str, str]:
        if self._lines is None:
            text = (resources.files("inplace_lint.opmodel") / "data" / f"{self.name}.tsv").read_text(encoding="utf-8")
            header, *lines = text.split("\n")
            title, _, version = header.removeprefix("# ").partition("; PyTorch ")
            if title != FORMAT or not version:
                raise ValueError(f"{self.name}.tsv: not a table of this op model: {header!r}")
            self._version = version
            # Split once into key and rest; decoding waits until a row is asked for.
            self._lines = dict(line.split("\t", 1) for line in lines if line)
        return self._lines

    @property
    def version(self) -> str:
        """The PyTorch version that the rows came from."""
        self._load()
        return self._version

    def get(self, spelling: str) -> Row | None:
        """The row of a spelling, or None."""
        row = self._rows.get(spelling)
        if row is None:
            text = self._load().get(spelling)
            if text is None:
                return None
            row = self._rows[spelling] = self._decode(spelling, text)
        return row

    def __contains__(self, spelling: object) -> bool:
        return spelling in self._load()

    def __iter__(self) -> Iterator[str]:
        return iter(self._load())

    def __len__(self) -> int:
        return len(self._load())


class OpModel:
    """What is known of every op, module class and optimizer class of one PyTorch version."""

    def __init__(self) -> None:
        self.functions: Table[Op] = Table("functions", rows.decode_op)
        self.methods: Table[Op] = Table("methods", rows.decode_op)
        self.properties: Table[Op] = Table("properties", rows.decode_op)
        self.attributes: Table[TensorAttribute] = Table("attributes", rows.decode_attribute)
        self.modules: Table[ModuleOp] = Table("modules", rows.decode_module)
        self.optimizers: Table[OptimizerRow] = Table("optimizers", rows.decode_optimizer)

    @property
    def version(self) -> str:
        """The PyTorch version that the model was generated from."""
        return self.functions.version

    def function(self, dotted: str) -> Op | None:
        """A function by its dotted name: ``torch.add``, ``torch.nn.functional.relu``, ``torch.Tensor.add``."""
        found = self.functions.get(dotted)
        if found is not None:
            return found
        for long, short in (("torch.Tensor.", ""), ("torch._tensor.Tensor.", ""), ("torch.functional.", "torch.")):
            if dotted.startswith(long):
                name = dotted.removeprefix(long)
                return self.functions.get(short + name) if short else self.methods.get(name)
        return None

    def method(self, name: str) -> Op | None:
        """A method of ``torch.Tensor`` by its bare name, dunders included; the first parameter is ``self``."""
        return self.methods.get(name)

    def property(self, name: str) -> Op | None:
        """A property of ``torch.Tensor`` by its bare name; the only parameter is ``self``."""
        return self.properties.get(name)

    def tensor_only(self, name: str) -> TensorAttribute | None:
        """A tensor's attribute that no other common class has: whoever has it is a tensor. None for any other name."""
        found = self.attributes.get(name)
        return None if found is None or found.also else found

    def module(self, dotted: str) -> ModuleOp | None:
        """A module class: ``torch.nn.ReLU``, or by where it is defined, ``torch.nn.modules.activation.ReLU``."""
        found = self.modules.get(dotted)
        if found is None and dotted.startswith("torch.nn.modules."):
            found = self.modules.get("torch.nn." + dotted.rpartition(".")[2])
        return found

    @cached_property
    def parameter_names(self) -> frozenset[str]:
        """The names under which PyTorch's own modules keep parameters: ``weight``, ``bias``, ``in_proj_weight`` ..."""
        rows_of_all = (self.modules.get(name) for name in self.modules)
        return frozenset(name for row in rows_of_all if row is not None for name, _ in row.parameters)

    def optimizer(self, dotted: str) -> OptimizerRow | None:
        """An optimizer class: ``torch.optim.Adam``, or ``torch.optim.adam.Adam``."""
        found = self.optimizers.get(dotted)
        if found is None and dotted.startswith("torch.optim.") and dotted.count(".") > 2:
            found = self.optimizers.get("torch.optim." + dotted.rpartition(".")[2])
        return found


@cache
def load() -> OpModel:
    """The op model that ships with the package; the same object every time. Raises nothing: files are read later."""
    return OpModel()
