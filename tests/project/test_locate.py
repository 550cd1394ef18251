"""Which file an import means, by the layout of folders."""

from __future__ import annotations

from pathlib import Path

import pytest

from inplace_lint.project.locate import Locator, is_outside

LAYOUT = """
pyproject.toml
train.py
utils.py
torch.py
data/readme.txt
models/__init__.py
models/resnet.py
models/parts/__init__.py
models/parts/blocks.py
plain/helpers.py
src/lib/__init__.py
src/lib/core.py
tests/test_lib.py
scripts/run.py
scripts/local.py
.venv/lib/python3.11/site-packages/other/__init__.py
.venv/lib/python3.11/site-packages/mine/__init__.py
.venv/lib/python3.11/site-packages/mine/part.py
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in LAYOUT.split():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    return tmp_path


@pytest.mark.parametrize(
    ("importer", "module", "level", "found"),
    [
        ("train.py", "utils", 0, "utils.py"),
        ("train.py", "models", 0, "models/__init__.py"),
        ("train.py", "models.parts.blocks", 0, "models/parts/blocks.py"),
        ("train.py", "lib.core", 0, "src/lib/core.py"),
        ("train.py", "plain", 0, "plain"),
        ("train.py", "plain.helpers", 0, "plain/helpers.py"),
        ("train.py", "data", 0, None),
        ("train.py", "torch", 0, None),
        ("train.py", "missing", 0, None),
        ("train.py", "models.missing", 0, None),
        ("models/resnet.py", "parts", 1, "models/parts/__init__.py"),
        ("models/resnet.py", "", 1, "models/__init__.py"),
        ("models/parts/blocks.py", "resnet", 2, "models/resnet.py"),
        ("models/parts/__init__.py", "blocks", 1, "models/parts/blocks.py"),
        ("models/parts/blocks.py", "utils", 0, "utils.py"),
        ("scripts/run.py", "local", 0, "scripts/local.py"),
        ("scripts/run.py", "models", 0, "models/__init__.py"),
        ("tests/test_lib.py", "lib", 0, "src/lib/__init__.py"),
        (
            ".venv/lib/python3.11/site-packages/mine/part.py",
            "mine",
            0,
            ".venv/lib/python3.11/site-packages/mine/__init__.py",
        ),
        (".venv/lib/python3.11/site-packages/mine/part.py", "other", 0, None),
    ],
)
def test_imports_lead_to_files(root: Path, importer: str, module: str, level: int, found: str | None) -> None:
    assert Locator().find(str(root / importer), module, level) == (None if found is None else str(root / found))


def test_modules_of_a_package_by_name(root: Path) -> None:
    locator = Locator()
    package = str(root / "models" / "__init__.py")
    assert locator.submodule(package, "resnet") == str(root / "models" / "resnet.py")
    assert locator.submodule(package, "parts") == str(root / "models" / "parts" / "__init__.py")
    assert locator.submodule(package, "missing") is None
    assert locator.submodule(str(root / "train.py"), "utils") is None
    assert locator.submodule(str(root / "plain"), "helpers") == str(root / "plain" / "helpers.py")


def test_torch_itself_is_never_read(tmp_path: Path) -> None:
    package = tmp_path / "torch" / "nn"
    package.mkdir(parents=True)
    for folder in (package, package.parent):
        (folder / "__init__.py").write_text("")
    assert is_outside(str(package / "functional.py"), "modules", 1)
    assert is_outside(str(package / "functional.py"), "torch.nn", 0)
    assert Locator().find(str(package / "functional.py"), "", 1) is None


def test_a_folder_that_cannot_be_listed_holds_nothing(tmp_path: Path) -> None:
    assert Locator().find(str(tmp_path / "missing" / "a.py"), "b", 0) is None
