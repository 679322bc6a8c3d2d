"""`atlas generate`: images, index and contact sheets of a sweep, and what it came to on stderr."""

from atlas.cli.generate_plan import print_plan
from atlas.cli.job_format import print_outcome
from atlas.cli.messages import say, say_abandoned, say_each, say_pictures
from atlas.config.schema import SweepConfig
from atlas.generate.calibrate import calibrate
from atlas.generate.job import ImagesOutcome, generate, prepare
from atlas.query.shell import failures
from atlas.query.views import write_views
from atlas.records import Part
from atlas.report.sheets.layer_sheets import write_sheets
from atlas.store.paths import AtlasPaths
from atlas.sweep.plan import Plan


def generate_body(config: SweepConfig, overrides: list[str], mistakes: list[str]) -> ImagesOutcome:
    """Make the images and index of a sweep."""
    config, plan = prepared(config, mistakes, making=True)
    outcome = make_images(config, plan, overrides)
    if not config.dry_run:
        print_outcome(images_row(outcome))
    return outcome


def prepared(config: SweepConfig, mistakes: list[str], *, making: bool = False) -> tuple[SweepConfig, Plan]:
    """Plan the sweep; making: `make_images` follows. ConfigError with the mistakes of the command line and all others."""
    return prepare(config, mistakes, making=making)


def make_images(config: SweepConfig, plan: Plan, overrides: list[str]) -> ImagesOutcome:
    """Make what is left of a plan, or only print it on a dry run."""
    if config.dry_run:
        plan = plan.only(None if config.cluster.part is None else Part.parse(config.cluster.part))
        say(print_plan(config, plan, calibrate(config, plan) if config.calibrate else None))
        return ImagesOutcome(AtlasPaths(config.out), plan.tasks)
    outcome = generate(config, plan, overrides)
    _say_outcome(outcome)
    if not outcome.stopped and outcome.last:
        say_pictures(outcome.paths.sheets, write_sheets(outcome.paths))
        write_views(outcome.paths)
    return outcome


def images_row(outcome: ImagesOutcome) -> dict[str, object]:
    """What a sweep came to, for programs."""
    names = ("planned", "made", "dead", "failed", "left", "stopped")
    return {"atlas": str(outcome.paths.root), **{name: getattr(outcome, name) for name in names}}


def _say_outcome(outcome: ImagesOutcome) -> None:
    say_each("note", outcome.notes)
    root, whose = outcome.paths.root, "" if outcome.part is None else f", part {outcome.part}"
    if outcome.stopped:
        again = "resume" if outcome.left else "make what is made of all images"
        say(f"{outcome.stopped}: {outcome.made} images made, {outcome.left} left; run the same again to {again}")
    elif outcome.part is not None and not outcome.planned:
        say(f"nothing to do: part {outcome.part} of {root} has no images, as there are few shards")
    elif outcome.idle:
        failed = f" but {outcome.failed} that failed" if outcome.failed else ""
        say(f"nothing to do: {root} has all {outcome.planned} images that were asked for{whose}{failed}")
    else:
        dead = f", {outcome.dead} of them dead (no gradient reaches the image)" if outcome.dead else ""
        say(f"{root}{whose}: {outcome.made} images made{dead}; {outcome.left} left")
    if outcome.failed:
        say(f"{outcome.failed} images failed; `{failures(root)}` lists them, retry=failed tries them again")
        say_each("failed", outcome.reasons)
    say_abandoned(outcome.abandoned)
    if not outcome.last and not outcome.stopped:
        left = f"{outcome.elsewhere} images of other parts are left" if outcome.elsewhere else "other parts are at work"
        say(f"{left}: the part that ends last makes what is made of all images")
