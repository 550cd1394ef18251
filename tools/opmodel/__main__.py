"""Generates the op model's data from the installed PyTorch.

Run from the repository root, in an environment with the ``test`` extra::

    python -m tools.opmodel            # rewrite every table
    python -m tools.opmodel --only relu_ --only torch.max   # print the rows of some spellings instead

It enumerates every Python spelling of an op, observes each on PyTorch's own sample inputs (made-up ones where there are none),
compares the result with ``derivatives.yaml``, applies the overrides and writes one row a line to ``inplace_lint/opmodel/data``.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import torch

from inplace_lint.opmodel import rows
from inplace_lint.opmodel.lookup import FORMAT
from tools.opmodel import build, indexing, modules, overrides, spellings

DATA = Path(__file__).resolve().parents[2] / "inplace_lint" / "opmodel" / "data"


def write(name: str, table: dict[str, str]) -> None:
    """Writes one table, sorted by spelling, under the header that `lookup` checks."""
    version = torch.__version__.split("+")[0]
    lines = [f"# {FORMAT}; PyTorch {version}", *(f"{key}\t{table[key]}" for key in sorted(table))]
    DATA.mkdir(exist_ok=True)
    (DATA / f"{name}.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def main() -> None:
    """Parses the command line and generates."""
    parser = argparse.ArgumentParser(prog="python -m tools.opmodel", description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--only", action="append", default=[], help="print the rows of this spelling, write nothing")
    options = parser.parse_args()
    torch.set_num_threads(1)
    start = time.time()
    functions: dict[str, str] = {}
    notes = build.Notes()
    for spelling in spellings.functions():
        dotted = f"{spelling.space}.{spelling.name}"
        if options.only and dotted not in options.only:
            continue
        op = build.op(spelling, dotted, notes)
        if op is not None:
            functions[dotted] = rows.encode_op(overrides.apply("functions", op))
    methods: dict[str, str] = {}
    for spelling in spellings.methods():
        if options.only and spelling.name not in options.only:
            continue
        op = build.op(spelling, spelling.name, notes)
        if op is not None:
            methods[spelling.name] = rows.encode_op(overrides.apply("methods", op))
    properties: dict[str, str] = {}
    for name, _ in spellings.properties():
        if options.only and name not in options.only:
            continue
        op = build.property_op(name)
        if op is not None:
            properties[name] = rows.encode_op(op)
    if not options.only or "__getitem__" in options.only:
        for indexing_op in indexing.rows():
            methods[indexing_op.spelling] = rows.encode_op(indexing_op)
    classes: dict[str, str] = {}
    for name, cls in modules.classes():
        if options.only and f"torch.nn.{name}" not in options.only:
            continue
        module = modules.row(name, cls)
        if module is None:
            notes.missing.append(f"torch.nn.{name}")
        else:
            classes[module.spelling] = rows.encode_module(module)
    if options.only:
        for table in (functions, methods, properties, classes):
            for key, text in table.items():
                print(f"{key}\t{text}")
        return
    write("functions", functions)
    write("methods", methods)
    write("properties", properties)
    write("modules", classes)
    write("optimizers", {row.spelling: rows.encode_optimizer(row) for row in modules.optimizers()})
    print(f"{len(functions)} functions, {len(methods)} methods, {len(properties)} properties, {len(classes)} modules, {time.time() - start:.0f} s")
    print(f"\nnot run ({len(notes.missing)}):", ", ".join(notes.missing))
    print(f"\nfrom the YAML files, unseen ({len(notes.derived)}):", ", ".join(notes.derived))
    print(f"\nobserved otherwise than the YAML files state ({len(notes.disagreements)}); observation wins:")
    print("\n".join(notes.disagreements))


if __name__ == "__main__":
    main()
