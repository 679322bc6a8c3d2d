"""`atlas`, the console script: a group of commands. Jobs take Hydra's arguments, all others take options."""

import sys
from functools import partial

import click

import atlas
from atlas.cli.lazy_group import JOBS, lazy_commands, load
from atlas.cli.messages import say
from atlas.cli.unforeseen import tell_unforeseen
from atlas.config.extras import missing
from atlas.engine.outcome import WRONG


def _print_version(context: click.Context, option: click.Parameter, wanted: bool) -> None:
    if wanted:
        click.echo(f"atlas, version {atlas.__version__}")
        context.exit()


@click.group(
    commands=lazy_commands(), context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_print_version, help="Show the version."
)
def cli() -> None:
    """See what a vision network has learned: every channel of every layer made visible, indexed, searchable.

    \b
    Jobs are Hydra apps; everything after the command is Hydra's:
      atlas run experiment=demo
      atlas generate model=[googlenet,resnet50] layers=[inception4*,layer3.*] channels=0:16 metric=[l1,l2]
      atlas generate --help            what can be chosen, and every key
      atlas generate dry_run=true …    the plan and what it would cost, nothing more

    \b
    Reading commands take options; --atlas DIR names the atlas, else it is the newest under outputs/:
      atlas similar googlenet/inception4a:12 --to resnet50
      atlas match googlenet resnet50 --mutual
      atlas sql "select feature, self_rank from features order by self_z desc limit 9"

    \b
    Exit codes: 0 all done · 1 the atlas is damaged, or a fault of Atlas's own · 2 wrong config or arguments,
    said before any work · 3 finished, some features failed (listed) · 75 interrupted, run the same again.
    """


def main() -> None:
    """Entry point of the console script. What an extra brings and is not there is told in one sentence, exit code 2."""
    run = partial(cli, prog_name="atlas")
    try:
        # other commands do without what listens to signals
        load("atlas.cli.watched:watched")(run) if set(sys.argv[1:2]) & set(JOBS) else run()
    except Exception as error:
        sentence = missing(error) if isinstance(error, ModuleNotFoundError) else None
        if sentence is None:
            sys.exit(tell_unforeseen(error))
        say(f"atlas: {sentence}")
        sys.exit(WRONG)
