"""A command line as a job's body sees it."""

from typing import NamedTuple

from atlas.config.checks import value_mistakes
from atlas.config.compose import run_job
from atlas.config.schema import SweepConfig


class Composed(NamedTuple):
    """What a job is given, and what it would say is wrong."""

    config: SweepConfig
    overrides: list[str]
    mistakes: list[str]


def composed(*arguments: str) -> Composed:
    """Compose as `atlas generate ARGUMENTS` does; ConfigError where not even a part of it can be read."""
    seen: list[Composed] = []

    def body(config: SweepConfig, overrides: list[str], mistakes: list[str]) -> int:
        seen.append(Composed(config, overrides, [*mistakes, *value_mistakes(config)]))
        return 5

    assert run_job("generate", list(arguments), body) == 5
    return seen[0]
