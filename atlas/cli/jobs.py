"""The jobs: config in, exit code out. `jobs/<command>.py` starts the same."""

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from atlas.config.schema import SweepConfig
    from atlas.run.generate import Outcome

DONE, WRONG, SOME_FAILED, INTERRUPTED = 0, 2, 3, 75
HYDRA = {"ignore_unknown_options": True, "help_option_names": []}


def run_job(command: str, arguments: list[str]) -> int:
    """Run one job; every way it can end has one exit code and one clear message."""
    from atlas.config.compose import run_job as run_hydra
    from atlas.config.mistakes import ConfigError
    from atlas.run.executor import ClusterError
    from atlas.store.lock import Locked
    from atlas.store.manifest import NotAnAtlas

    try:
        return run_hydra(command, arguments, BODIES[command])
    except ConfigError as error:
        return _refuse(error.mistakes)
    except (Locked, NotAnAtlas, ClusterError) as error:
        return _refuse([str(error)])
    except OSError as error:
        say(f"stopped: {error}\nrun the same again to resume")
        return INTERRUPTED
    except KeyboardInterrupt:
        say("stopped before any work was begun; run the same again")
        return INTERRUPTED


def generate_job(config: "SweepConfig", overrides: list[str], mistakes: list[str]) -> int:
    """`atlas generate`: images, index and contact sheets."""
    from atlas.config.mistakes import ConfigError
    from atlas.run.generate import generate, prepare

    plan, found = prepare(config)
    if plan is None or mistakes:
        raise ConfigError([*mistakes, *found])
    if config.dry_run:
        from atlas.cli.plan_table import print_plan

        say(print_plan(config, plan))
        return DONE
    outcome = generate(config, plan, overrides)
    _tell(outcome)
    if outcome.stopped:
        return INTERRUPTED
    _write_sheets(outcome)
    return SOME_FAILED if outcome.failed or outcome.abandoned else DONE


def _write_sheets(outcome: "Outcome") -> None:
    from atlas.report.sheets import write_sheets

    sheets = write_sheets(outcome.paths)
    for sheet in sheets[:LISTED]:
        say(f"  {sheet}")
    if len(sheets) > LISTED:
        say(f"  … and {len(sheets) - LISTED} more")
    if any(outcome.paths.sheets.rglob("*.png")):
        say(f"contact sheets: {outcome.paths.sheets}")


LISTED = 12  # sheets named one by one


def _tell(outcome: "Outcome") -> None:
    """What a run came to, in a few lines."""
    for note in outcome.notes:
        say(f"note: {note}")
    root = outcome.paths.root
    if outcome.stopped:
        say(f"{outcome.stopped}: {outcome.made} images made, {outcome.left} left; run the same again to resume")
    elif outcome.idle:
        failed = f" but {outcome.failed} that failed" if outcome.failed else ""
        say(f"nothing to do: {root} has all {outcome.planned} images that were asked for{failed}")
    else:
        dead = f", {outcome.dead} of them dead (no gradient reaches the image)" if outcome.dead else ""
        say(f"{root}: {outcome.made} images made{dead}; {outcome.left} left")
    if outcome.failed:
        query = "select feature, metric, error_type, error_message from failures"
        say(
            f'{outcome.failed} images failed; `atlas sql --atlas {root} "{query}"` lists them, retry=failed tries them again'
        )
    for model, message in outcome.abandoned.items():
        say(f"{model} could not be loaded where the work runs: {message}")


def _refuse(mistakes: tuple[str, ...] | list[str]) -> int:
    """Say all mistakes as one message."""
    if len(mistakes) == 1:
        say(f"atlas: {mistakes[0]}")
    else:
        say("\n".join([f"atlas: {len(mistakes)} mistakes:", *(f"  {mistake}" for mistake in mistakes)]))
    return WRONG


def say(message: str) -> None:
    click.echo(message, err=True)


BODIES: dict[str, Callable[["SweepConfig", list[str], list[str]], int]] = {
    "run": generate_job,
    "generate": generate_job,
}
HELP = {
    "run": "The main job: generate, and all made from it.",
    "generate": "Make the images and index of a sweep.",
}


def _command(name: str) -> click.Command:
    """A click command that hands all its arguments to Hydra."""

    @click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
    def job(arguments: tuple[str, ...]) -> None:
        sys.exit(run_job(name, list(arguments)))

    return click.command(name, help=HELP[name], context_settings=HYDRA, add_help_option=False)(job)


JOBS = [_command(name) for name in BODIES]
