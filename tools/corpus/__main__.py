"""``python -m tools.corpus``: lint released PyTorch libraries, read the findings, keep verdicts."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import click

from tools.corpus import report, verdicts
from tools.corpus.findings import Finding
from tools.corpus.libraries import CorpusError, chosen, default_cache, read_list, source_folder
from tools.corpus.recheck import recheck
from tools.corpus.run import last_findings, run

_cache = click.option(
    "--cache-dir",
    type=click.Path(file_okay=False, path_type=Path),
    default=default_cache,
    help="Downloads and results go here. Default: a folder in the user's cache.",
)
_library = click.option("--library", "names", multiple=True, help="Only this library; may be given several times.")


@click.group()
def main() -> None:
    """The linter on production code."""


@main.command("run")
@_cache
@_library
@click.option("--jobs", default=1, show_default=True, help="Libraries at a time.")
@click.option("--limit", default=900.0, show_default=True, help="Seconds that a library may take.")
def run_command(cache_dir: Path, names: tuple[str, ...], jobs: int, limit: float) -> None:
    """Lint the libraries, compare with the last run, and print a table.

    What is new or gone is printed by `show --new` and written beside the results. Ends with status 1 if anything failed.
    """
    judged = verdicts.read()
    outcomes = []
    for outcome in run(chosen(read_list(), names), cache_dir, limit, jobs, source_folder):
        outcomes.append(outcome)
        click.echo(f"{outcome.library.pin}: {len(outcome.findings)} findings, {outcome.seconds:.0f} s", err=True)
        unread = [it for it in outcome.findings if it.fingerprint not in judged and it.severity in report.SEVERITIES]
        text = f"Without a verdict:\n\n{report.findings(unread, judged)}\nGone since the last run:\n\n"
        target = cache_dir / "results" / f"{outcome.library.name}.txt"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text + report.findings(outcome.gone, judged), encoding="utf-8")
    click.echo(report.table(outcomes, judged))
    failed = report.failures(outcomes)
    click.echo(failed)
    sys.exit(1 if failed else 0)


@main.command("recheck")
@_cache
@_library
@click.option("--jobs", default=1, show_default=True, help="Libraries at a time.")
@click.option("--limit", default=900.0, show_default=True, help="Seconds that a library may take.")
def recheck_command(cache_dir: Path, names: tuple[str, ...], jobs: int, limit: float) -> None:
    """Lint only the files with judged findings: what is wrong and still there, what is true and gone."""
    judged = verdicts.read()
    libraries = chosen(read_list(), names)
    click.echo(report.rechecked(list(recheck(libraries, judged.values(), cache_dir, limit, jobs, source_folder))))


@main.command()
@_cache
@_library
@click.option("--severity", type=click.Choice(report.SEVERITIES), help="Only findings of this severity.")
@click.option("--code", help="Only findings of this rule.")
@click.option("--verdict", "word", type=click.Choice([*verdicts.WORDS, "none"]), help="Only findings judged so.")
@click.option("--sample", type=int, help="So many at random, the same ones each time.")
def show(
    cache_dir: Path,
    names: tuple[str, ...],
    severity: str | None,
    code: str | None,
    word: str | None,
    sample: int | None,
) -> None:
    """Print findings of the last run with their code."""
    judged = verdicts.read()
    found = [
        it
        for it in _last(cache_dir, names)
        if it.severity in ([severity] if severity else report.SEVERITIES)
        and code in (None, it.code)
        and word in (None, judged[it.fingerprint].word if it.fingerprint in judged else "none")
    ]
    if sample is not None and sample < len(found):
        found = random.Random(0).sample(found, sample)
    click.echo(report.findings(found, judged))
    click.echo(f"{len(found)} findings")


@main.command()
@_cache
@click.argument("fingerprint")
@click.argument("verdict", type=click.Choice(verdicts.WORDS))
@click.argument("reason")
def judge(cache_dir: Path, fingerprint: str, verdict: str, reason: str) -> None:
    """Keep a verdict on a finding of the last run: true, harmless or wrong, and why."""
    found = [it for it in _last(cache_dir, ()) if it.fingerprint.startswith(fingerprint)]
    if len(found) != 1:
        raise click.ClickException(f"{len(found)} findings have a fingerprint that starts with {fingerprint}")
    judged = verdicts.read()
    judged[found[0].fingerprint] = verdicts.judge(found[0], verdict, reason)
    verdicts.write(judged.values())


def _last(cache: Path, names: tuple[str, ...]) -> list[Finding]:
    return [found for library in chosen(read_list(), names) for found in last_findings(cache, library)]


if __name__ == "__main__":
    try:
        main(standalone_mode=True)
    except CorpusError as error:
        sys.exit(f"error: {error}")
