"""Which layer may import which: the table of the design, held against every import in the package."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "inplace_lint"

# For each layer what it may import besides itself and the layers that define words only (events, diagnostics, ir).
ALLOWED: dict[str, set[str]] = {
    "__init__": set(),
    "__main__": {"cli"},
    # The interpreter names the lowered module's type; it sees none of the syntax inside.
    # rules, diagnostics and source are for `rule`, `--select` and standard input, which pass through no analysis.
    "cli": {
        *(
            "api",
            "baseline",
            "diagnostics",
            "explain",
            "fixing",
            "output",
            "rules",
            "server",
            "settings",
            "source",
            "sources",
        ),
        *("garbage", "__init__"),
    },
    # What stays open and is linted again and again, and the server that editors talk to.
    "session": {
        *("assumptions", "baseline", "checking", "choosing", "diagnostics", "fixing", "judging", "rules", "settings"),
        *("settling", "source", "sources", "naming"),
    },
    "server": {"session", "settings", "fixing", "source", "rules", "output", "diagnostics", "__init__"},
    "api": {
        *(
            "assumptions",
            "baseline",
            "checking",
            "choosing",
            "diagnostics",
            "fingerprints",
            "fixing",
            "judging",
            "rechecking",
        ),
        *("rules", "settings", "settling", "source", "sources", "workers", "caching", "naming"),
    },
    "sources": {"diagnostics", "fixing", "source"},
    "choosing": {"assumptions", "diagnostics", "rules", "settings", "source"},
    "garbage": set(),
    "workers": {"garbage", "assumptions", "caching", "checking", "naming", "settling", "source"},
    "naming": {"diagnostics", "settling"},
    # It needs no analysis: what a report rests on is told by who makes it.
    "caching": {"assumptions", "project", "settling", "source", "__init__"},
    # One file from text to findings, and what the findings of all files make together: the two halves of `api`.
    # What flake8 calls: it prints and selects by itself.
    "flake8_plugin": {"api", "output", "settings", "__init__"},
    # A command of its own: what it prints with is the command line's.
    "explain": {"api", "cli", "output", "settings", "opmodel", "diagnostics"},
    "checking": {"assumptions", "settling", "source", "lowering", "interp", "project", "rules", "diagnostics"},
    "settling": {"diagnostics", "source"},
    # What counts of all files' findings, once they are in.
    "baseline": {"diagnostics", "fingerprints", "settings"},
    "judging": {"baseline", "fingerprints", "checking", "settling", "rules", "source", "diagnostics"},
    "rechecking": {"checking", "settling", "project"},
    # It is handed a function that lints, and knows of no rule.
    "fixing": {"diagnostics", "source"},
    "settings": {"diagnostics", "assumptions", "rules", "output", "__init__"},
    "source": {"diagnostics"},
    "lowering": {"ir"},
    "ir": set(),
    "assumptions": set(),
    "events": set(),
    "diagnostics": set(),
    "opmodel": set(),
    "domain": set(),
    "project": {"source", "lowering", "ir"},
    "interp": {"assumptions", "ir", "opmodel", "domain", "project", "events", "lowering"},
    "rules": {"events", "diagnostics", "fixes", "source"},
    "fixes": {"diagnostics"},
    "fingerprints": {"diagnostics"},
    # The rules' documentation is part of SARIF.
    "output": {"diagnostics", "fingerprints", "rules", "source", "__init__"},
}
FILES = sorted(PACKAGE.rglob("*.py"))


def layer(path: Path) -> str:
    parts = path.relative_to(PACKAGE).parts
    return parts[0].removesuffix(".py")


def imported(path: Path) -> set[str]:
    """The layers of ours that a file imports, anywhere in it."""
    package = ["inplace_lint", *path.relative_to(PACKAGE).parts[:-1]]
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            whole = ".".join([*base, *([node.module] if node.module else [])])
            names = [f"{whole}.{alias.name}" for alias in node.names] if whole == "inplace_lint" else [whole]
        else:
            continue
        for name in names:
            parts = name.split(".")
            if parts[0] == "inplace_lint":
                # `from inplace_lint import __version__` names no layer but the package itself.
                found.add(parts[1] if len(parts) > 1 and parts[1] in ALLOWED else "__init__")
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_keep_to_the_table(path: Path) -> None:
    own = layer(path)
    assert own in ALLOWED, f"{own} is no layer of the design"
    assert imported(path) - {own} <= ALLOWED[own]


def test_the_table_names_no_layer_that_is_gone() -> None:
    layers = {layer(path) for path in FILES}
    assert set(ALLOWED) - layers <= {"fixes"}


def test_the_engine_knows_no_rule_codes_and_rules_no_libcst() -> None:
    for path in FILES:
        text = path.read_text(encoding="utf-8")
        if layer(path) in ("interp", "domain", "lowering", "opmodel"):
            assert "IPL1" not in text and "IPL2" not in text, path
        if layer(path) not in ("lowering", "fixes", "project"):
            assert "import libcst" not in text, path
