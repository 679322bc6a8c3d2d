"""`atlas run`, the main job: images, then what is alike, then the site. Each stage resumes where it was interrupted."""

from atlas.cli import INTERRUPTED
from atlas.cli.jobs.generate import make_images, plan_sweep
from atlas.cli.jobs.similarity import compare_features
from atlas.cli.jobs.site import write_pages
from atlas.config.schema import SweepConfig


def run_body(config: SweepConfig, overrides: list[str], mistakes: list[str]) -> int:
    """The main job: generate, and all made from it."""
    plan = plan_sweep(config, mistakes)
    code = make_images(config, plan, overrides)
    if code == INTERRUPTED or config.dry_run:
        return code
    code = max(code, compare_features(config, plan.cards))
    return code if code == INTERRUPTED else max(code, write_pages(config))
