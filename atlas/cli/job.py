"""The jobs: a command line in, an exit code and one clear message out. Everything after the command is Hydra's."""

import errno
import sys
from functools import partial
from typing import Any

import click

from atlas.cli import completion
from atlas.cli.job_format import printing, split_format
from atlas.cli.lazy_group import JOBS, load
from atlas.cli.messages import say
from atlas.config import compose
from atlas.config.extras import install, lacks
from atlas.config.mistakes import ConfigError
from atlas.engine.executor import ClusterError
from atlas.engine.outcome import DONE, FAULT, INTERRUPTED, WRONG, Outcome
from atlas.engine.signals import StopNow, is_ending
from atlas.figures import NAMES
from atlas.query.guard import Damaged
from atlas.store.damaged_file import DamagedFile
from atlas.store.lock import Locked
from atlas.store.manifest import NotAnAtlas

READING = ("site",)  # jobs that look at no network
MAKING = ("run", "generate", "saliency", "dream")  # jobs that begin with reading the networks that are named
OURS = (ConfigError, Locked, NotAnAtlas, ClusterError, Damaged, DamagedFile)  # errors that say what is wrong
# errors of a file's name, kind or rights: running the same again would meet them again
PERMANENT = (
    *(errno.EACCES, errno.EPERM, errno.ENAMETOOLONG, errno.ENOTDIR, errno.EISDIR),
    *(errno.EEXIST, errno.ELOOP, errno.EINVAL),
)


@click.command(context_settings={"ignore_unknown_options": True, "help_option_names": []}, add_help_option=False)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, shell_complete=completion.overrides)
@click.pass_context
def job(context: click.Context, arguments: tuple[str, ...]) -> None:
    """Run the job that the command line names; its module is imported once Hydra has composed the config."""
    sys.exit(run_job(str(context.info_name), list(arguments), aloud=True))


def run_job(name: str, arguments: list[str], *, aloud: bool = False) -> int:
    """Run one of JOBS with the arguments that follow its name; returns the exit code, whichever way the job ends.

    aloud: say at once, for who waits, that the networks are read, which takes seconds.
    """
    try:
        form, words = split_format(arguments)
        overrides = with_figure_key(words) if name == "figure" else words
        with printing(form):
            outcome: Outcome | None = compose.run_job(name, overrides, partial(_do, name, aloud))
        return DONE if outcome is None else outcome.code
    except (KeyboardInterrupt, StopNow):
        return _interrupted()
    except Exception as error:
        # a library makes errors of its own of a signal; ours say what they say
        return _interrupted() if is_ending() and not isinstance(error, OURS) else _ended_by(error)


def _ended_by(error: Exception) -> int:
    """Tell of what ended a job; raises what is no message for a person."""
    match error:
        case ConfigError():
            return _refuse(error.mistakes)
        case Damaged() | DamagedFile():
            say(f"atlas: {error}")
            return FAULT
        case error if isinstance(error, OURS):
            return _refuse([str(error)])
        case OSError(errno=number) if number in PERMANENT:
            return _refuse([str(error)])
        case OSError():
            say(f"stopped: {error}\nrun the same again to resume")
            return INTERRUPTED
    raise error


def _interrupted() -> int:
    say("stopped; run the same again")
    return INTERRUPTED


def _do(name: str, aloud: bool, config: Any, overrides: list[str], mistakes: list[str]) -> Outcome:
    """Do a job whose command line is composed; ConfigError where what it takes is not installed."""
    if name not in READING and lacks("torch"):
        raise ConfigError([f"atlas {name} needs torch, which is not installed: {install('run')}"])
    # before anything that takes seconds is imported
    if aloud and name in MAKING and not mistakes:
        say(f"reading {', '.join(config.models)} …")
    place, _ = JOBS[name]
    return load(place)(config, overrides, mistakes)


def _refuse(mistakes: tuple[str, ...] | list[str]) -> int:
    """Print all mistakes as one message."""
    if len(mistakes) == 1:
        say(f"atlas: {mistakes[0]}")
    else:
        say("\n".join([f"atlas: {len(mistakes)} mistakes:", *(f"  {mistake}" for mistake in mistakes)]))
    return WRONG


def with_figure_key(arguments: list[str]) -> list[str]:
    """Turn `NAME key=value …` into the overrides `figure=NAME key=value …`.

    ConfigError when no figure is named, unless an option asks Hydra for help.
    """
    if arguments and "=" not in arguments[0] and not arguments[0].startswith("-"):
        return [f"figure={arguments[0]}", *arguments[1:]]
    if any(word.startswith(("figure=", "-")) for word in arguments):
        return arguments
    raise ConfigError([f"name a figure, as atlas figure {NAMES[0]}: {', '.join(NAMES)}"])
