"""Generates the op model's data from the installed PyTorch.

Run from the repository root, in an environment with the ``test`` extra::

    python -m tools.opmodel                                 # rewrite every table
    python -m tools.opmodel --only relu_ --only torch.max   # print the rows of some spellings instead
    python -m tools.opmodel --check                         # compare the shipped rows with the installed PyTorch

It enumerates every Python spelling of an op, observes each on PyTorch's own sample inputs (overheard or made-up ones
where there are none), splits what it saw into variants on the constants that made a difference, takes overloads that no
sample reaches from ``derivatives.yaml``, applies ``overrides.tsv``, and writes one row a line to
``inplace_lint/opmodel/data``.
It ends with what could not be run and where observation and the YAML files disagree; observation wins.
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from collections.abc import Callable, Container
from dataclasses import dataclass, field
from pathlib import Path

import torch

from inplace_lint.opmodel import rows
from inplace_lint.opmodel.lookup import FORMAT, load
from inplace_lint.opmodel.schema import ModuleOp, Op, OptimizerRow, TensorAttribute
from tools.opmodel import attributes, build, check, indexing, modules, overrides, spellings

DATA = Path(__file__).resolve().parents[2] / "inplace_lint" / "opmodel" / "data"


@dataclass
class Tables:
    """Every row, by table and spelling."""

    functions: dict[str, Op] = field(default_factory=dict)
    methods: dict[str, Op] = field(default_factory=dict)
    properties: dict[str, Op] = field(default_factory=dict)
    modules: dict[str, ModuleOp] = field(default_factory=dict)
    optimizers: dict[str, OptimizerRow] = field(default_factory=dict)
    attributes: dict[str, TensorAttribute] = field(default_factory=dict)

    def texts(self) -> dict[str, dict[str, str]]:
        """The JSON of every row, by table and spelling."""
        encoders: dict[str, Callable[..., str]] = {
            "functions": rows.encode_op,
            "methods": rows.encode_op,
            "properties": rows.encode_op,
            "modules": rows.encode_module,
            "optimizers": rows.encode_optimizer,
            "attributes": rows.encode_attribute,
        }
        return {
            name: {key: encode(row) for key, row in getattr(self, name).items()} for name, encode in encoders.items()
        }


class _Everything:
    def __contains__(self, item: object) -> bool:
        return True


def generate(wanted: Container[str], notes: build.Notes) -> Tables:
    """The rows of the wanted spellings, overrides applied; raises `overrides.OverrideError` where one is stale."""
    tables = Tables()
    for spelling in spellings.functions():
        if spelling.dotted in wanted and (op := build.op(spelling, spelling.dotted, notes)) is not None:
            tables.functions[spelling.dotted] = overrides.apply("functions", op)
    for spelling in spellings.methods():
        if spelling.name in wanted and (op := build.op(spelling, spelling.name, notes)) is not None:
            tables.methods[spelling.name] = overrides.apply("methods", op)
    if "cpu" in tables.methods:
        tables.methods |= overrides.stand_ins("methods", tables.methods)
    if "__getitem__" in wanted:
        tables.methods |= {op.spelling: op for op in indexing.rows()}
    for name, _ in spellings.properties():
        if name in wanted and (op := build.property_op(name)) is not None:
            tables.properties[name] = op
    for name, cls in modules.classes():
        if f"torch.nn.{name}" in wanted:
            module = modules.row(name, cls)
            if module is None:
                notes.missing.append(f"torch.nn.{name}")
            else:
                tables.modules[module.spelling] = module
    tables.optimizers = {row.spelling: row for row in modules.optimizers() if row.spelling in wanted}
    tables.attributes = {row.spelling: row for row in attributes.attributes() if row.spelling in wanted}
    return tables


def write(name: str, table: dict[str, str]) -> None:
    """Writes one table, sorted by spelling, under the header that `lookup` checks."""
    version = torch.__version__.split("+")[0]
    lines = [f"# {FORMAT}; PyTorch {version}", *(f"{key}\t{table[key]}" for key in sorted(table))]
    DATA.mkdir(exist_ok=True)
    (DATA / f"{name}.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def check_shipped() -> list[str]:
    """Every disagreement between the shipped rows and the installed PyTorch."""
    model = load()
    found: list[str] = []
    for spelling in spellings.functions():
        if (op := model.functions.get(spelling.dotted)) is not None:
            found += check.check_op(spelling, op)
    for spelling in spellings.methods():
        if (op := model.methods.get(spelling.name)) is not None:
            found += check.check_op(spelling, op)
    for name, cls in modules.classes():
        if (row := model.modules.get(f"torch.nn.{name}")) is not None:
            found += check.check_module(cls, row)
    return found


def main() -> int:
    """Parses the command line and generates or checks; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.opmodel", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--only", action="append", default=[], help="print the rows of this spelling, write nothing")
    parser.add_argument("--check", action="store_true", help="compare the shipped rows with the installed PyTorch")
    options = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    start = time.time()
    if options.check:
        found = check_shipped()
        print("\n".join(found) or f"every row agrees with PyTorch {torch.__version__} ({time.time() - start:.0f} s)")
        return 1 if found else 0
    notes = build.Notes()
    tables = generate(options.only or _Everything(), notes)
    texts = tables.texts()
    if options.only:
        print("\n".join(f"{key}\t{text}" for table in texts.values() for key, text in table.items()))
        return 0
    for name, table in texts.items():
        write(name, table)
    print(", ".join(f"{len(table)} {name}" for name, table in texts.items()), f"in {time.time() - start:.0f} s")
    print(f"\nnot run ({len(notes.missing)}):", ", ".join(notes.missing))
    print(f"\nfrom the YAML files, unseen ({len(notes.derived)}):", ", ".join(notes.derived))
    print(f"\nobserved otherwise than the YAML files state ({len(notes.disagreements)}); observation wins:")
    print("\n".join(notes.disagreements))
    return 0


if __name__ == "__main__":
    sys.exit(main())
