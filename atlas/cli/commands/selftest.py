"""`atlas selftest`: whether this machine computes what is known beforehand."""

import sys

import click
import pyarrow as pa
import torch

from atlas.cli import FORMATS
from atlas.cli.messages import say
from atlas.cli.tables import print_table
from atlas.engine.progress import LINE_EVERY, Count, Lines
from atlas.selftest.run import CHECKS, CheckResult, run


@click.command()
@click.option("--format", "form", type=click.Choice(FORMATS), default="table", help="How stdout is written.")
def selftest(form: str) -> None:
    """Check on this machine that known answers come out.

    Twins that were planted are found, a permuted copy of a model is recognised, a linear layer's image is the one
    known in closed form, … Takes less than a minute and writes nothing.

    Exit code 0: all passed. 1: some did not.
    """
    torch.set_num_threads(1)  # the work is small: on cores that others use too, a second thread makes it slower
    outcomes, count, lines = [], Count(len(CHECKS), len(CHECKS), unit="checks"), Lines(silence=LINE_EVERY)
    for outcome in run():
        outcomes.append(outcome)
        _say_outcome(outcome)
        count.add(done=1)
        if not sys.stderr.isatty():
            lines.show(count, outcome.check.name)
    rows = [
        {
            "check": f"{outcome.check.number}. {outcome.check.name}",
            "passed": outcome.passed,
            "found": outcome.found,
            "seconds": round(outcome.seconds, 2),
        }
        for outcome in outcomes
    ]
    print_table(pa.Table.from_pylist(rows), form)
    click.get_current_context().exit(0 if all(outcome.passed for outcome in outcomes) else 1)


def _say_outcome(outcome: CheckResult) -> None:
    """Print a line on a check when it ends, on a terminal only."""
    if sys.stderr.isatty():
        verdict = click.style("passed", fg="green") if outcome.passed else click.style("FAILED", fg="red", bold=True)
        say(f"{verdict} {outcome.seconds:5.1f} s  {outcome.check.number}. {outcome.check.name}")
