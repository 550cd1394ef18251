"""How fast the linter is, against its targets: ``python -m tools.bench FOLDER`` or ``--library kornia``.

Every figure is taken in this run, on the same files and on this machine, so what counts is the ratios. Files are copied into a
scratch folder first: what is measured may write a cache, and one file is changed.
"""

from __future__ import annotations

import ast
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from tools.corpus.libraries import CorpusError, chosen, default_cache, read_list, source_folder

ROOT = Path(__file__).resolve().parents[1]
LINT = (sys.executable, "-m", "inplace_lint")
_AST = "import ast, sys\nfor name in sys.stdin.read().split('\\0'):\n    ast.parse(open(name, 'rb').read())\n"
_CST = "import sys, libcst\nfor name in sys.stdin.read().split('\\0'):\n    libcst.parse_module(open(name, 'rb').read())\n"
# Runs a command, and tells of it alone: wall clock, CPU time and the largest memory of one of its processes.
_METER = (
    "import json, resource, subprocess, sys, time\nstart = time.perf_counter()\n"
    "done = subprocess.run(sys.argv[1:], stdin=sys.stdin, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)\n"
    "wall = time.perf_counter() - start\nused = resource.getrusage(resource.RUSAGE_CHILDREN)\n"
    "print(json.dumps([wall, used.ru_utime + used.ru_stime, used.ru_maxrss, done.returncode, done.stderr[-400:]]))\n"
)


@dataclass(frozen=True)
class Cost:
    """What a command took: seconds by the clock, seconds of CPU, and megabytes of its largest process."""

    wall: float
    cpu: float
    memory: float


def measure(command: Sequence[str], folder: Path, text: str = "", fails: Sequence[int] = (0, 1)) -> Cost:
    """Runs a command in a folder. Raises ``click.ClickException`` where it ends with another status than expected."""
    # A user's installation has its bytecode.
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONPYCACHEPREFIX": str(folder.parent / "bytecode")}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    done = subprocess.run(
        [sys.executable, "-c", _METER, *command],
        cwd=folder, env=environment, input=text, capture_output=True, text=True, check=True,
    )  # fmt: skip
    wall, cpu, memory, status, complaint = json.loads(done.stdout)
    if status not in fails:
        raise click.ClickException(f"{' '.join(command[:6])} ends with {status}: {complaint}")
    # Linux counts kilobytes, macOS bytes.
    return Cost(wall, cpu, memory / (1 << 20 if sys.platform == "darwin" else 1 << 10))


def copied(files: Sequence[Path], top: Path, target: Path) -> list[Path]:
    """Copies of the files, with their folders."""
    made = []
    for path in files:
        made.append(target / path.relative_to(top))
        made[-1].parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, made[-1])
    return made


def sampled(top: Path, count: int | None, seed: int) -> list[Path]:
    """The Python files below a folder that can be parsed, or a seeded sample of them."""
    files = sorted(top.rglob("*.py"))
    random.Random(seed).shuffle(files)
    kept: list[Path] = []
    for path in files:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                ast.parse(path.read_bytes())
            except (SyntaxError, ValueError):
                continue
        kept.append(path)
        if len(kept) == count:
            break
    return kept


def lines_of(files: Sequence[Path]) -> int:
    return sum(path.read_bytes().count(b"\n") for path in files)


def row(what: str, cost: Cost, ratio: float | None = None, target: str = "") -> str:
    """A line of the table."""
    compared = "" if ratio is None else f"{ratio:8.2f}"
    return f"{what:<34} {cost.wall:8.2f} {cost.cpu:8.2f} {cost.memory:6.0f} {compared:>8}  {target}"


HEAD = f"{'':<34} {'wall s':>8} {'CPU s':>8} {'MB':>6} {'ratio':>8}  target"


def whole(files: Sequence[Path], folder: Path, torchfix: str | None) -> Iterator[str]:
    """The files as one project: cold, warm, changed, and by other tools."""
    names = "\0".join(map(str, files))
    syntax = measure((sys.executable, "-c", _AST), folder, names)
    trees = measure((sys.executable, "-c", _CST), folder, names)
    yield row("ast.parse", syntax)
    yield row("libcst.parse_module", trees)
    check = (*LINT, "check", "--quiet", ".")
    cold = measure((*check, "--jobs", "1", "--cache-dir", ".one"), folder)
    yield row("cold, one process", cold, cold.wall / trees.wall, "of libcst; at most 0.5")
    two = measure((*check, "--jobs", "2", "--no-cache"), folder)
    yield row("cold, --jobs 2", two, cold.wall / two.wall, "times faster; at least 1.8")
    warm = measure((*check, "--jobs", "1", "--cache-dir", ".one"), folder)
    yield row("warm", warm, warm.wall / cold.wall, "of cold; at most 0.03")
    changed = files[len(files) // 2]
    with changed.open("a", encoding="utf-8") as stream:
        stream.write("\n# changed\n")
    after = measure((*check, "--jobs", "1", "--cache-dir", ".one"), folder)
    alone = measure((*LINT, "check", "--quiet", "--no-cache", "--jobs", "1", str(changed)), folder)
    yield row("one file changed", after, after.wall / (alone.wall + warm.wall), "of that file and warm; at most 3")
    yield row("  that file alone", alone)
    ruff = shutil.which("ruff")
    if ruff:
        rules = (ruff, "check", "--quiet", "--select", "ALL", "--isolated", "--cache-dir", ".ruff", ".")
        yield row("Ruff, all rules, cold", measure(rules, folder))
        again = measure(rules, folder)
        yield row("Ruff, all rules, warm", again, warm.wall / again.wall, "our warm run of it; at most 2")
    if torchfix:
        fix = measure((torchfix, "--select", "ALL", "."), folder)
        yield row("TorchFix", fix, fix.wall / cold.wall, "times slower than cold; at least 50")
    yield row("memory of a process", cold, cold.memory, "MB; at most 300")


def growth(files: Sequence[Path], top: Path, scratch: Path) -> Iterator[str]:
    """A tenth, a third and all of the files: time by the line should stay the same."""
    first: float | None = None
    for share in (10, 3, 1):
        part = files[: max(1, len(files) // share)]
        folder = scratch / f"share{share}"
        lines = lines_of(copied(part, top, folder))
        cost = measure((*LINT, "check", "--quiet", "--no-cache", "--jobs", "1", "."), folder)
        each = cost.cpu / max(lines, 1)
        first = first or each
        yield row(f"1/{share}: {len(part)} files, {lines} lines", cost, each / first, "CPU by the line, of the first")


def start(scratch: Path) -> Iterator[str]:
    """What a run costs that has little to do; the least of five."""
    folder = scratch / "start"
    folder.mkdir()
    (folder / "plain.py").write_text("import os\n\n\ndef here():\n    return os.getcwd()\n")
    unit = "def step_{0}(w):\n    y = w.exp()\n    y += 1\n    y.sum().backward()\n    return y\n\n\n"
    body = "".join(unit.format(number) for number in range(71))
    (folder / "findings.py").write_text("import torch\n\n\n" + body)
    for what, arguments, target in (
        ("--version", ["--version"], 0.1),
        ("a file without a candidate", ["check", "--no-cache", "plain.py"], 0.15),
        ("500 lines with findings", ["check", "--no-cache", "findings.py"], 0.5),
    ):
        measure((*LINT, *arguments), folder)
        best = min((measure((*LINT, *arguments), folder) for _ in range(5)), key=lambda cost: cost.cpu)
        yield row(what, best, best.cpu, f"s of CPU; at most {target}")


@click.command()
@click.argument("folder", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--library", help="A library that tools/corpus pins, in place of FOLDER.")
@click.option("--corpus", type=click.Path(path_type=Path), default=default_cache, help="Where its downloads lie.")
@click.option("--sample", type=click.IntRange(min=1), help="Take only so many files.")
@click.option("--seed", default=0, show_default=True, help="Which ones.")
@click.option("--torchfix", help="TorchFix's command, installed in an environment of its own.")
def main(
    folder: Path | None, library: str | None, corpus: Path, sample: int | None, seed: int, torchfix: str | None
) -> None:
    """Measure the linter over the files of FOLDER; without one, only how fast it starts."""
    try:
        if library:
            folder = source_folder(chosen(read_list(), [library])[0], corpus)
    except CorpusError as error:
        raise click.ClickException(str(error)) from error
    with tempfile.TemporaryDirectory() as made:
        scratch = Path(made)
        click.echo(HEAD)
        for line in start(scratch):
            click.echo(line)
        if folder is None:
            return
        top = folder.resolve()
        files = sampled(top, sample, seed)
        if not files:
            raise click.ClickException(f"{folder} holds no Python file that can be parsed")
        inside = copied(files, top, scratch / "project")
        click.echo(f"\n{library or folder.name}: {len(files)} files, {lines_of(files)} lines")
        for line in whole(inside, scratch / "project", torchfix):
            click.echo(line)
        for line in growth(files, top, scratch):
            click.echo(line)


if __name__ == "__main__":
    main()
