"""`atlas run`, the main job: images, then what is alike, then the site. Each stage resumes where it was interrupted."""

from dataclasses import dataclass

from atlas.cli.job_format import print_outcome
from atlas.cli.jobs.generate import images_row, make_images, prepared
from atlas.cli.jobs.similarity import compare_features
from atlas.cli.jobs.site import write_pages
from atlas.config.schema import SweepConfig
from atlas.engine.outcome import INTERRUPTED, Outcome
from atlas.generate.job import ImagesOutcome
from atlas.report.site.write import SiteSummary
from atlas.similarity.job import SimilarityOutcome
from atlas.store.paths import AtlasPaths
from atlas.sweep.plan import Plan


@dataclass
class RunOutcome(Outcome):
    """What `atlas run` came to, stage by stage; None: the stage was not reached."""

    paths: AtlasPaths
    images: ImagesOutcome
    similarity: SimilarityOutcome | None = None
    site: SiteSummary | None = None

    @property
    def code(self) -> int:
        return max(self.images.code, self.similarity.code if self.similarity else 0)


def run_body(config: SweepConfig, overrides: list[str], mistakes: list[str]) -> RunOutcome:
    """The main job: generate, and all made from it."""
    config, plan = prepared(config, mistakes, making=True)
    images = make_images(config, plan, overrides)
    outcome = RunOutcome(images.paths, images)
    if config.dry_run:
        return outcome
    if images.code != INTERRUPTED and images.last:
        _go_on(outcome, config, plan)
    site = None if outcome.site is None else str(outcome.site.index)
    print_outcome({**images_row(images), "site": site})
    return outcome


def _go_on(outcome: RunOutcome, config: SweepConfig, plan: Plan) -> None:
    """What follows once there are images."""
    outcome.similarity = compare_features(config, plan.cards)
    if outcome.code != INTERRUPTED:
        outcome.site = write_pages(config).summary
