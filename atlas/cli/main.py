"""`atlas`: one sub-command per stage. Jobs take Hydra's arguments, reading commands take options."""

import sys

import click

from atlas import __version__
from atlas.cli.jobs import JOBS
from atlas.cli.layers import layers
from atlas.cli.reading import COMMANDS


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="atlas")
def cli() -> None:
    """See what a vision network has learned: every channel of every layer made visible, indexed, searchable.

    \b
    Jobs are Hydra apps; everything after the command is Hydra's:
      atlas run experiment=demo
      atlas generate model=[googlenet,resnet50] layers=[inception4*,layer3.*] channels=0:16 metric=[l1,l2]
      atlas generate --help            what can be chosen, and every key
      atlas generate dry_run=true …    the plan and what it would cost, nothing more

    \b
    Exit codes: 0 all done · 2 wrong config or arguments, said before any work · 3 finished, some features
    failed (listed) · 75 interrupted, run the same again to resume.
    """


for command in [*JOBS, layers, *COMMANDS]:
    cli.add_command(command)


def main() -> None:
    """Entry point of the console script."""
    cli(prog_name="atlas")


if __name__ == "__main__":
    sys.exit(main())
