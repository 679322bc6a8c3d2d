"""The jobs: config in, exit code out. `jobs/<command>.py` starts the same."""

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from atlas.cli.figure import unnamed, with_name
from atlas.cli.telling import say, tell_images, tell_pictures, tell_similarity, tell_site

if TYPE_CHECKING:
    from atlas.config.schema import DreamConfig, FigureConfig, SaliencyConfig, SweepConfig
    from atlas.records import ModelCard
    from atlas.store.paths import AtlasPaths
    from atlas.sweep.plan import Plan

DONE, WRONG, SOME_FAILED, INTERRUPTED = 0, 2, 3, 75
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

    if command == "figure":
        if missing := unnamed(arguments):
            return _refuse([missing])
        arguments = with_name(arguments)
    try:
        return run_hydra(command, arguments, BODIES[command])
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


def run_all(config: "SweepConfig", overrides: list[str], mistakes: list[str]) -> int:
    """`atlas run`: images, then all that is made from them."""
    plan = _planned(config, mistakes)
    code = _generate(config, plan, overrides)
    if code == INTERRUPTED or config.dry_run:
        return code
    code = max(code, _similarity(config, plan.cards))
    return code if code == INTERRUPTED else max(code, _site(config))


def generate_job(config: "SweepConfig", overrides: list[str], mistakes: list[str]) -> int:
    """`atlas generate`: images, index and contact sheets."""
    return _generate(config, _planned(config, mistakes), overrides)


def similarity_job(config: "SweepConfig", overrides: list[str], mistakes: list[str]) -> int:
    """`atlas similarity`: responses, neighbors, layers, maps of the atlas that is named, or else of the newest."""
    _choose_atlas(config, overrides, mistakes)
    if any(word.startswith("model=") for word in overrides):
        _check_models(config)
    if config.dry_run:
        from atlas.cli.similarity_table import print_similarity_plan

        say(print_similarity_plan(config))
        return DONE
    return _similarity(config, {}, overrides)


def site_job(config: "SweepConfig", overrides: list[str], mistakes: list[str]) -> int:
    """`atlas site`: pages of the atlas that is named, or else of the newest."""
    from atlas.store.manifest import read_manifest
    from atlas.store.paths import AtlasPaths

    other = [word for word in overrides if not word.lstrip("+~").startswith(("name=", "out=", "dry_run="))]
    refused = [f"{word}: a site shows all of an atlas; its keys are name=, out= and dry_run=" for word in other]
    _choose_atlas(config, overrides, [*mistakes, *refused])
    if not config.dry_run:
        return _site(config)
    read_manifest(AtlasPaths(config.out).manifest)
    say(f"would bring {config.out}/site up to date. Nothing was written.")
    return DONE


def saliency_job(config: "SaliencyConfig", overrides: list[str], mistakes: list[str]) -> int:
    """`atlas saliency`: maps of what matters in pictures, of any models."""
    from atlas.cli.saliency import saliency_body

    return saliency_body(config, overrides, mistakes)


def dream_job(config: "DreamConfig", overrides: list[str], mistakes: list[str]) -> int:
    """`atlas dream`: a picture changed until it drives channels, of any models."""
    from atlas.cli.dream import dream_body

    return dream_body(config, overrides, mistakes)


def _choose_atlas(config: "SweepConfig", overrides: list[str], mistakes: list[str]) -> None:
    """The newest atlas, when none is named; ConfigError with all mistakes, NotAnAtlas."""
    from atlas.config.checks import value_mistakes
    from atlas.config.mistakes import ConfigError
    from atlas.query.atlas import newest

    found = [*mistakes, *value_mistakes(config)]
    if found:
        raise ConfigError(found)
    if not any(word.lstrip("+~").startswith(("name=", "out=", "experiment=")) for word in overrides):
        config.out = str(newest())
        say(f"the newest atlas: {config.out}")


def _check_models(config: "SweepConfig") -> None:
    """Similarity compares all models that the atlas holds: one that is named must be among them."""
    from atlas.config.mistakes import ConfigError, nearest
    from atlas.store.manifest import read_manifest
    from atlas.store.paths import AtlasPaths

    held = sorted({variant["model"] for variant in read_manifest(AtlasPaths(config.out).manifest)["variants"]})
    unknown = [name for name in config.models if name not in held]
    if unknown:
        raise ConfigError(
            [f"model={name}: {config.out} holds none of its images; {nearest(name, held)}" for name in unknown]
        )


def _planned(config: "SweepConfig", mistakes: list[str]) -> "Plan":
    from atlas.config.mistakes import ConfigError
    from atlas.run.generate import prepare

    plan, found = prepare(config)
    if plan is None or mistakes:
        raise ConfigError([*mistakes, *found])
    return plan


def _generate(config: "SweepConfig", plan: "Plan", overrides: list[str]) -> int:
    from atlas.run.generate import generate

    if config.dry_run:
        from atlas.cli.plan_table import print_plan

        say(print_plan(config, plan))
        return DONE
    outcome = generate(config, plan, overrides)
    tell_images(outcome)
    if outcome.stopped:
        return INTERRUPTED
    _write_sheets(outcome.paths)
    _write_sql(outcome.paths)
    return SOME_FAILED if outcome.failed or outcome.abandoned else DONE


def _similarity(config: "SweepConfig", cards: "dict[str, ModelCard]", overrides: list[str] | None = None) -> int:
    from atlas.report.map_files import write_maps
    from atlas.run.similarity import similarity

    outcome = similarity(config, cards, overrides)
    tell_similarity(outcome)
    if outcome.stopped:
        return INTERRUPTED
    tell_pictures(outcome.paths.maps, write_maps(outcome.paths))
    _write_sql(outcome.paths)
    return SOME_FAILED if outcome.unread or outcome.failures or outcome.abandoned else DONE


def _site(config: "SweepConfig") -> int:
    from atlas.report.site.write import write_site
    from atlas.run.signals import leaving_at_once
    from atlas.store.lock import Lock
    from atlas.store.manifest import read_manifest
    from atlas.store.paths import AtlasPaths

    paths = AtlasPaths(config.out)
    read_manifest(paths.manifest)  # before anything is written: NotAnAtlas
    with leaving_at_once(), Lock(paths.lock):
        tell_site(write_site(paths))
    return DONE


def _write_sheets(paths: "AtlasPaths") -> None:
    from atlas.report.sheets import write_sheets

    tell_pictures(paths.sheets, write_sheets(paths))


def _write_sql(paths: "AtlasPaths") -> None:
    from atlas.query.views import write_views

    write_views(paths)


def figure_job(config: "FigureConfig", overrides: list[str], mistakes: list[str]) -> int:
    """`atlas figure NAME`: one of the sources' figures."""
    from atlas.cli.figure import figure_body

    return figure_body(config, overrides, mistakes)


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
    "saliency": saliency_job,
    "dream": dream_job,
    "figure": figure_job,
}
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
