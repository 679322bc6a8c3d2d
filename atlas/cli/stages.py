"""The stages of an atlas as jobs: images, what is alike, pages. Config in, exit code out."""

from typing import TYPE_CHECKING

from atlas.cli import DONE, INTERRUPTED, SOME_FAILED
from atlas.cli.telling import SiteProgress, say, tell_images, tell_pictures, tell_similarity, tell_site

if TYPE_CHECKING:
    from atlas.config.schema import SweepConfig
    from atlas.records import ModelCard
    from atlas.store.paths import AtlasPaths
    from atlas.sweep.plan import Plan

NAMED = ("name=", "out=", "experiment=")  # any of them says which atlas is meant


def run_all(config: "SweepConfig", overrides: list[str], mistakes: list[str]) -> int:
    """`atlas run`: images, then all that is made from them."""
    config, plan = _planned(config, mistakes)
    code = _generate(config, plan, overrides)
    if code == INTERRUPTED or config.dry_run:
        return code
    code = max(code, _similarity(config, plan.cards))
    return code if code == INTERRUPTED else max(code, _site(config))


def generate_job(config: "SweepConfig", overrides: list[str], mistakes: list[str]) -> int:
    """`atlas generate`: images, index and contact sheets."""
    config, plan = _planned(config, mistakes)
    return _generate(config, plan, overrides)


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
    other = [word for word in overrides if not word.lstrip("+~").startswith((*NAMED, "dry_run="))]
    refused = [f"{word}: a site shows all of an atlas; its keys are {', '.join(NAMED)} and dry_run=" for word in other]
    _choose_atlas(config, overrides, [*mistakes, *refused])
    if not config.dry_run:
        return _site(config)
    say(f"would bring {config.out}/site up to date. Nothing was written.")
    return DONE


def _choose_atlas(config: "SweepConfig", overrides: list[str], mistakes: list[str]) -> None:
    """The newest atlas, when none is named; NotAnAtlas, ConfigError with all mistakes, or for one that cannot be written."""
    from atlas.config.checks import value_mistakes
    from atlas.config.mistakes import ConfigError
    from atlas.query.atlas import newest
    from atlas.store.manifest import read_manifest
    from atlas.store.output import output_mistakes
    from atlas.store.paths import AtlasPaths

    found = [*mistakes, *value_mistakes(config)]
    if found:
        raise ConfigError(found)
    if not any(word.lstrip("+~").startswith(NAMED) for word in overrides):
        config.out = str(newest())
        say(f"the newest atlas: {config.out}")
    read_manifest(AtlasPaths(config.out).manifest)  # what is no atlas cannot be written to, either
    if unwritable := output_mistakes(config.out):
        raise ConfigError(unwritable)


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


def _planned(config: "SweepConfig", mistakes: list[str]) -> "tuple[SweepConfig, Plan]":
    from atlas.config.mistakes import ConfigError, collect
    from atlas.generate.job import prepare

    planned = collect(mistakes, lambda: prepare(config))
    if mistakes or planned is None:
        raise ConfigError(mistakes)
    return planned


def _generate(config: "SweepConfig", plan: "Plan", overrides: list[str]) -> int:
    from atlas.generate.job import generate

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
    from atlas.report.page.map_files import write_maps
    from atlas.similarity.job import similarity

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
    from atlas.store.paths import AtlasPaths

    paths = AtlasPaths(config.out)
    with leaving_at_once(), Lock(paths.lock):
        tell_site(write_site(paths, SiteProgress()))
    return DONE


def _write_sheets(paths: "AtlasPaths") -> None:
    from atlas.report.sheets.layer_sheets import write_sheets

    tell_pictures(paths.sheets, write_sheets(paths))


def _write_sql(paths: "AtlasPaths") -> None:
    from atlas.query.views import write_views

    write_views(paths)
