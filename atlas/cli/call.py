"""The main job from Python: the command line's overrides in, what it came to out; messages go to stderr, as there."""

from atlas.cli.jobs.generate import prepared
from atlas.cli.jobs.run import RunOutcome, run_body
from atlas.config.compose import run_job
from atlas.config.schema import SweepConfig
from atlas.sweep.plan import Plan


def run(*overrides: str) -> RunOutcome:
    """`atlas run` with these overrides, as `atlas.run("experiment=demo", "name=mine")`; resumed like that.

    Returns what the stages came to: `paths`, `images`, `similarity`, `site`, and `code`, the exit code. ConfigError
    with every mistake in the overrides, before anything is written; Locked, when another job works on the atlas.
    """
    return run_job("run", list(overrides), run_body)


def plan(*overrides: str) -> Plan:
    """The plan of `atlas generate` with these overrides: `tasks`, `shards`, `cost` (multiply-adds). Nothing is written.

    Pretrained weights are not fetched with "dry_run=true". ConfigError with every mistake.
    """
    return run_job("generate", list(overrides), _plan)


def _plan(config: SweepConfig, overrides: list[str], mistakes: list[str]) -> Plan:
    _, plan = prepared(config, mistakes)
    return plan
