"""The jobs: config in, exit code out. `jobs/<command>.py` starts the same."""

import sys
from collections.abc import Callable
from typing import Any

import click

from atlas.cli import INTERRUPTED, WRONG
from atlas.cli.dream import dream_body
from atlas.cli.figure import figure_body, with_name
from atlas.cli.saliency import saliency_body
from atlas.cli.stages import generate_job, run_all, similarity_job, site_job
from atlas.cli.telling import say

HYDRA = {"ignore_unknown_options": True, "help_option_names": []}


def run_job(command: str, arguments: list[str]) -> int:
    """Run one job; every way it can end has one exit code and one clear message."""
    from atlas.config.compose import run_job as run_hydra
    from atlas.config.mistakes import ConfigError
    from atlas.query.guard import Damaged
    from atlas.run.executor import ClusterError
    from atlas.run.signals import StopNow
    from atlas.store.lock import Locked
    from atlas.store.manifest import NotAnAtlas

    try:
        return run_hydra(command, ARGUMENTS.get(command, list)(arguments), BODIES[command])
    except ConfigError as error:
        return _refuse(error.mistakes)
    except (Locked, NotAnAtlas, ClusterError, Damaged) as error:
        return _refuse([str(error)])
    except OSError as error:
        say(f"stopped: {error}\nrun the same again to resume")
        return INTERRUPTED
    except (KeyboardInterrupt, StopNow):
        say("stopped; run the same again")
        return INTERRUPTED


def _refuse(mistakes: tuple[str, ...] | list[str]) -> int:
    """Say all mistakes as one message."""
    if len(mistakes) == 1:
        say(f"atlas: {mistakes[0]}")
    else:
        say("\n".join([f"atlas: {len(mistakes)} mistakes:", *(f"  {mistake}" for mistake in mistakes)]))
    return WRONG


BODIES: dict[str, Callable[[Any, list[str], list[str]], int]] = {  # config, overrides, mistakes of the command line
    "run": run_all,
    "generate": generate_job,
    "similarity": similarity_job,
    "site": site_job,
    "saliency": saliency_body,
    "dream": dream_body,
    "figure": figure_body,
}
ARGUMENTS = {"figure": with_name}  # of jobs that are typed with a word that is no override
HELP = {
    "run": "The main job: generate, and all made from it.",
    "generate": "Make the images and index of a sweep.",
    "similarity": "Compare all features of an atlas: responses, neighbors, layers, maps.",
    "site": "Write the atlas as pages that a browser opens.",
    "saliency": "Show which pixels of a picture matter to a class.",
    "dream": "Change a picture until it drives a channel: DeepDream, with its frames.",
    "figure": "Draw one of the sources' figures: atlas figure NAME.",
}


def _command(name: str) -> click.Command:
    """A click command that hands all its arguments to Hydra."""

    @click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
    def job(arguments: tuple[str, ...]) -> None:
        sys.exit(run_job(name, list(arguments)))

    return click.command(name, help=HELP[name], context_settings=HYDRA, add_help_option=False)(job)


JOBS = [_command(name) for name in BODIES]
