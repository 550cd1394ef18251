"""``python contents.py CHECKOUT DIST``: whether the wheel and the sdist in a folder hold what they should."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

LICENCES = {"LICENSE", "NOTICE", "LICENSES/PyTorch.txt"}


def main(checkout: Path, dist: Path) -> None:
    """Ends with a message where something is missing or too much."""
    done = subprocess.run(["git", "-C", checkout, "ls-files", "-z"], capture_output=True, check=True, text=True)
    kept = {name for name in done.stdout.split("\0") if name and (checkout / name).is_file()}
    package = {name for name in kept if name.startswith("inplace_lint/")}
    (wheel,) = dist.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        inside = set(archive.namelist())
    info = next(name for name in inside if name.endswith("/METADATA")).removesuffix("METADATA")
    about = {f"{info}{name}" for name in ("METADATA", "WHEEL", "RECORD", "entry_points.txt")}
    same("the wheel", package | about | {f"{info}licenses/{name}" for name in LICENCES}, inside)
    (sdist,) = dist.glob("*.tar.gz")
    with tarfile.open(sdist) as packed:
        names = {member.name.partition("/")[2] for member in packed.getmembers() if member.isfile()}
    same("the sdist", kept | {"PKG-INFO"}, names)


def same(what: str, wanted: set[str], there: set[str]) -> None:
    """Ends where two sets of names differ."""
    lacks, extra = sorted(wanted - there), sorted(there - wanted)
    if lacks or extra:
        sys.exit(f"{what} lacks {lacks[:10]} and has {extra[:10]}, which it should not")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), Path(sys.argv[2]))
