"""`atlas selftest`: whether this machine computes what is known beforehand."""

import sys
from typing import TYPE_CHECKING

import click

from atlas.cli import FORMATS

if TYPE_CHECKING:
    from atlas.selftest.run import Outcome


@click.command()
@click.option("--format", "form", type=click.Choice(FORMATS), default="table", help="How stdout is written.")
def selftest(form: str) -> None:
    """Check on this machine that known answers come out.

    Twins that were planted are found, a permuted copy of a model is recognised, a linear layer's image is the one
    known in closed form, … Takes less than a minute and writes nothing.

    Exit code 0: all passed. 1: some did not.
    """
    import pyarrow as pa
    import torch

    from atlas.cli.tables import print_table
    from atlas.selftest.run import run

    torch.set_num_threads(1)  # the work is small: on cores that others use too, a second thread makes it slower
    outcomes = []
    for outcome in run():
        outcomes.append(outcome)
        _tell(outcome)
    rows = [
        {
            "check": f"{one.check.number}. {one.check.name}",
            "passed": one.passed,
            "found": one.found,
            "seconds": round(one.seconds, 2),
        }
        for one in outcomes
    ]
    print_table(pa.Table.from_pylist(rows), form)
    click.get_current_context().exit(0 if all(one.passed for one in outcomes) else 1)


def _tell(outcome: "Outcome") -> None:
    """A line for each check as it ends, for whoever waits at a terminal."""
    if sys.stderr.isatty():
        said = click.style("passed", fg="green") if outcome.passed else click.style("FAILED", fg="red", bold=True)
        click.echo(f"{said} {outcome.seconds:5.1f} s  {outcome.check.number}. {outcome.check.name}", err=True)
