"""`atlas generate`: images, index and contact sheets of a sweep, and what it came to on stderr."""

from atlas.cli import DONE, INTERRUPTED, SOME_FAILED
from atlas.cli.generate_plan import print_plan
from atlas.cli.messages import say, say_abandoned, say_each, say_pictures
from atlas.config.mistakes import ConfigError
from atlas.config.schema import SweepConfig
from atlas.generate.job import Outcome, generate, prepare
from atlas.query.shell import failures
from atlas.query.views import write_views
from atlas.report.sheets.layer_sheets import write_sheets
from atlas.sweep.plan import Plan


def generate_body(config: SweepConfig, overrides: list[str], mistakes: list[str]) -> int:
    """Make the images and index of a sweep."""
    return make_images(config, plan_sweep(config, mistakes), overrides)


def plan_sweep(config: SweepConfig, mistakes: list[str]) -> Plan:
    """Plan the sweep. ConfigError with the mistakes of the command line and all others."""
    plan, others = prepare(config)
    if plan is None or mistakes:
        raise ConfigError([*mistakes, *others])
    return plan


def make_images(config: SweepConfig, plan: Plan, overrides: list[str]) -> int:
    """Make what is left of a plan, or only print it on a dry run; returns the exit code."""
    if config.dry_run:
        say(print_plan(config, plan))
        return DONE
    outcome = generate(config, plan, overrides)
    _say_outcome(outcome)
    if outcome.stopped:
        return INTERRUPTED
    say_pictures(outcome.paths.sheets, write_sheets(outcome.paths))
    write_views(outcome.paths)
    return SOME_FAILED if outcome.failed or outcome.abandoned else DONE


def _say_outcome(outcome: Outcome) -> None:
    say_each("note", outcome.notes)
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
        say(f"{outcome.failed} images failed; `{failures(root)}` lists them, retry=failed tries them again")
    say_abandoned(outcome.abandoned)
