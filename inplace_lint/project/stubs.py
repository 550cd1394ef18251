"""What modules of a few much used libraries do, written down as plain code in ``inplace_lint/stubs``.

Installed packages are not read. Some, though, are what half of the code in a field is built from: that OpenMMLab's ``ConvModule``
ends in an activation decides what may be added to its result. A stub says that in as many lines as matter to autograd. It is read
like a file of the project, never reported, and runs in torch in our tests.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "stubs"
SUFFIX = ".stub"


@cache
def stubs() -> dict[str, tuple[str, str]]:
    """By the dotted name that a library offers: the key of the stub, and the name in it."""
    rows = (FOLDER / "names.tsv").read_text(encoding="utf-8").splitlines()
    found: dict[str, tuple[str, str]] = {}
    for row in rows:
        if row and not row.startswith("#"):
            path, stub, name = row.split("\t")
            found[path] = (str(FOLDER / f"{stub}{SUFFIX}"), name)
    return found
