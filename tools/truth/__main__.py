"""``python -m tools.truth``: check fixtures against torch and linter, or compare both on random programs."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from tools.truth import compare, shrink, tracebacks
from tools.truth import fixes as trials
from tools.truth import planted as faults
from tools.truth.fixtures import FixtureError, check_linter, check_torch, load
from tools.truth.generate import generate, programs, topics
from tools.truth.oracle import Oracle


@click.group()
def main() -> None:
    """Real torch as the judge of inplace-lint."""


@main.command()
@click.argument("paths", nargs=-1, type=click.Path(exists=True, path_type=Path))
@click.option("--torch-only", is_flag=True, help="Leave the linter out.")
@click.option("--linter-only", is_flag=True, help="Leave torch out.")
def fixtures(paths: tuple[Path, ...], torch_only: bool, linter_only: bool) -> None:
    """Execute and lint fixtures (all, or those in PATHS) and print where their comments are wrong."""
    try:
        cases = list(load([path.resolve() for path in paths]))
    except FixtureError as error:
        raise click.ClickException(str(error)) from None
    wrong = 0
    with Oracle(2) as oracle:
        verdicts = iter(()) if linter_only else oracle.judge_all(case.source for case in cases)
        for case in cases:
            problems = [] if linter_only else [f"torch:  {one}" for one in check_torch(case, next(verdicts))]
            if not torch_only:
                try:
                    problems += [f"linter: {one}" for one in check_linter(case, compare.lint(case.source))]
                except Exception as error:
                    problems.append(f"linter: crashed: {type(error).__name__}: {error}")
            wrong += bool(problems)
            for problem in problems:
                click.echo(f"{case.name}: {problem}")
    click.echo(f"{len(cases)} fixtures, {wrong} with problems")
    sys.exit(1 if wrong else 0)


@main.command()
@click.argument("paths", nargs=-1, type=click.Path(exists=True, path_type=Path))
@click.option("--seed", default=0, show_default=True, help="The first random program's seed.")
@click.option("--count", default=0, show_default=True, help="How many random programs, besides the fixtures.")
@click.option("--no-fixtures", is_flag=True, help="Random programs alone.")
@click.option("--show", default="", help="Also print the fixes that did not hold of this rule code, or `all`.")
@click.option("--source", "sources", is_flag=True, help="Print the programs after these fixes, too.")
def fixes(paths: tuple[Path, ...], seed: int, count: int, no_fixtures: bool, show: str, sources: bool) -> None:
    """Apply each fix alone, lint again, and compare with what was meant, in torch. Fails if a safe one does not hold."""
    cases = [] if no_fixtures else [case for case in load([path.resolve() for path in paths]) if case.runs]
    chosen = [(case.name, case.source) for case in cases if case.expected or case.false_alarms]
    chosen += [(f"{one.topic}/{one.producer}/{one.seed}", one.source) for one in programs(seed, count)]
    with Oracle() as oracle:
        report = trials.run(chosen, oracle)
    for trial in report.trials:
        if trial.why is not None and show in ("all", trial.finding.code):
            click.echo(trial.describe() + (f"\n{trial.after}" if sources else ""))
        elif not trial.applied and show == "words" and trial.finding.fix:
            click.echo(
                f"{trial.program}:{trial.finding.span.start.row}: {trial.finding.code} {trial.finding.fix.message}"
            )
    click.echo(report.text())
    for trial in report.broken:
        click.echo(f"safe, and does not hold: {trial.describe()}")
    sys.exit(1 if report.broken else 0)


@main.command()
@click.argument("paths", nargs=-1, type=click.Path(exists=True, path_type=Path))
def explain(paths: tuple[Path, ...]) -> None:
    """Run the fixtures that fail, with and without anomaly mode: does `explain-error` rank the culprit first?"""
    wrong = 0
    cases = list(tracebacks.failing(load([path.resolve() for path in paths])))
    with tracebacks.Tracebacks() as runs:
        for anomaly in (False, True):
            mode = "anomaly mode" if anomaly else "plain"
            answers = [tracebacks.explain(case, runs.of(case.path, anomaly)) for case in cases]
            told = [answer for answer in answers if answer.kind is not None]
            for answer in told:
                if not answer.first:
                    wrong += 1
                    click.echo(f"{answer.fixture.name} ({mode}, {answer.kind}): ranked {list(answer.ranked[:3])}")
            first = sum(answer.first for answer in told)
            click.echo(
                f"{mode}: the culprit is first in {first} of {len(told)}; {len(answers) - len(told)} end in no error"
            )
    sys.exit(1 if wrong else 0)


@main.command()
@click.option("--seed", default=0, show_default=True, help="The first program's seed.")
@click.option("--count", default=200, show_default=True, help="How many programs.")
@click.option("--topic", type=click.Choice(topics()), help="Only this topic.")
@click.option("--workers", default=1, show_default=True, help="Processes that run torch.")
@click.option("--show", default=0, show_default=True, help="Print so many disagreements in full.")
@click.option("--shrink", "shrinking", is_flag=True, help="Shrink the disagreements that are shown or saved.")
@click.option(
    "--save", type=click.Path(file_okay=False, path_type=Path), help="Write the disagreements to this folder."
)
def random(
    seed: int, count: int, topic: str | None, workers: int, show: int, shrinking: bool, save: Path | None
) -> None:
    """Compare linter and torch on random programs."""
    with Oracle(workers) as oracle:
        report = compare.run(programs(seed, count, topic), oracle)
        click.echo(report.text())
        for number, one in enumerate(report.disagreements):
            if number >= show and save is None:
                break
            small = shrink.shrink(one, oracle) if shrinking else one
            text = (
                small.program.source.rstrip("\n")
                + "\n\n"
                + "\n".join("# " + line for line in small.describe().splitlines())
            )
            if number < show:
                click.echo("\n" + "=" * 80 + "\n" + text)
            if save is not None:
                save.mkdir(parents=True, exist_ok=True)
                name = f"{one.disagreement}-{one.program.topic}-{one.program.producer}-{one.program.seed}.py"
                (save / name).write_text(text + "\n", encoding="utf-8")
    sys.exit(1 if report.disagreements else 0)


@main.command()
@click.argument("paths", nargs=-1, type=click.Path(exists=True, path_type=Path))
@click.option("--seed", default=0, show_default=True, help="What the places are chosen by.")
@click.option("--count", default=100, show_default=True, help="How many programs.")
@click.option("--show", default=0, show_default=True, help="Print so many disagreements in full.")
def planted(paths: tuple[Path, ...], seed: int, count: int, show: int) -> None:
    """Compare linter and torch on fixtures that are right but for one in-place write, which changes no value."""
    with Oracle() as oracle:
        cases = load([path.resolve() for path in paths])
        report = compare.run(faults.planted(cases, seed, count, oracle), oracle)
    click.echo(report.text())
    for one in report.disagreements[:show]:
        click.echo(f"\n{'=' * 80}\n{one.program.source}\n{one.describe()}")
    sys.exit(1 if report.disagreements else 0)


@main.command()
@click.option("--seed", default=0, show_default=True)
@click.option("--topic", type=click.Choice(topics()))
def show(seed: int, topic: str | None) -> None:
    """Print one random program with torch's verdict."""
    program = generate(seed, topic)
    with Oracle() as oracle:
        comparison = compare.Comparison(program, oracle.judge(program.source), ())
    click.echo(program.source)
    click.echo(comparison.describe().rsplit("\n", 1)[0])


@main.command()
@click.argument("path", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def judge(path: Path) -> None:
    """What torch says of the program in PATH."""
    with Oracle() as oracle:
        verdict = oracle.judge(path.read_text(encoding="utf-8"))
    click.echo(f"{verdict.kind} {verdict.note}".rstrip())
    for one in verdict.findings:
        click.echo(
            f"{path}:{one.line}: {one.code} (also {', '.join(one.also) or 'none'}), raised on {one.raised}: {one.error}"
        )


if __name__ == "__main__":
    main()
