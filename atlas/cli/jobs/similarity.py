"""`atlas similarity`: responses, neighbors, layers and maps of an atlas, and what it came to on stderr."""

from atlas.cli.messages import LISTED, counted, say, say_abandoned, say_each, say_pictures
from atlas.cli.similarity_plan import print_similarity_plan
from atlas.cli.which_atlas import models_in, with_atlas
from atlas.config.mistakes import ConfigError, nearest
from atlas.config.schema import SweepConfig
from atlas.query.views import write_views
from atlas.records import ModelCard
from atlas.report.page.map_files import write_maps
from atlas.report.sheets.layer_sheets import write_sheets
from atlas.similarity.job import SimilarityOutcome, similarity
from atlas.store.paths import AtlasPaths


def similarity_body(config: SweepConfig, overrides: list[str], mistakes: list[str]) -> SimilarityOutcome:
    """Compare all features of an atlas: responses, neighbors, layers, maps."""
    config = with_atlas(config, overrides, mistakes)
    if any(override.startswith("model=") for override in overrides):
        _check_models(config)
    if config.dry_run:
        say(print_similarity_plan(config))
        return SimilarityOutcome(AtlasPaths(config.out))
    return compare_features(config, {}, overrides)


def compare_features(
    config: SweepConfig, cards: dict[str, ModelCard], overrides: list[str] | None = None
) -> SimilarityOutcome:
    """Bring tables and maps up to date.

    `cards` are of models that were read already; `overrides` are recorded, None where `atlas generate` has done so.
    """
    outcome = similarity(config, cards, overrides)
    _say_outcome(outcome)
    if not outcome.stopped:
        say_pictures(outcome.paths.maps, write_maps(outcome.paths))
        # labelled pictures may have given features a name, or another one
        if renamed := write_sheets(outcome.paths):
            say_pictures(outcome.paths.sheets, renamed)
        write_views(outcome.paths)
    return outcome


def _check_models(config: SweepConfig) -> None:
    """ConfigError for a model that the atlas does not hold; all that it holds are compared, whichever are named."""
    models = models_in(AtlasPaths(config.out))
    unknown = [name for name in config.models if name not in models]
    if unknown:
        raise ConfigError(
            [f"model={name}: {config.out} holds none of its images; {nearest(name, models)}" for name in unknown]
        )


def _say_outcome(outcome: SimilarityOutcome) -> None:
    say_each("note", outcome.notes)
    root = outcome.paths.root
    if outcome.stopped:
        say(f"{outcome.stopped}: {outcome.looked} pictures looked at; run the same again to resume")
    elif outcome.idle and outcome.features:
        say(f"nothing to do: the similarity of {root}'s {counted(outcome.features, 'feature')} is up to date")
    for probe, features in outcome.compared.items():
        say(f"{root}: {counted(features, 'feature')} compared by what the pictures of probe {probe} do to them")
    if outcome.unread:
        say(f"{counted(outcome.unread, 'picture')} could not be looked at, to be tried again by the next run")
    say_each("failed", outcome.failures[:LISTED])
    say_abandoned(outcome.abandoned)
