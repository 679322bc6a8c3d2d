"""Real sweeps of PatternNet in this process, small enough for a unit test."""

from copy import deepcopy
from dataclasses import replace
from functools import cache
from pathlib import Path

from atlas.config.compose import compose_model, run_job
from atlas.config.schema import SweepConfig
from atlas.generate.job import ImagesOutcome, generate
from atlas.records import ModelCard
from atlas.store.index import files_under, read_table
from atlas.sweep.plan import Plan, make_plan

SMALL = ("cluster=inline", "recipe=quick", "recipe.octaves=[{size: 48, steps: 4, lr: [0.1, 0.05], sigma: [1.5, 0.4]}]")


def sweep(*overrides: str, out: Path | None = None) -> SweepConfig:
    """The config that a command line composes to; out: its folder, apart from what is composed but once (0.3 s)."""
    config = deepcopy(_composed(*overrides))
    return config if out is None else replace(config, out=str(out))


@cache
def _composed(*overrides: str) -> SweepConfig:
    found: list[SweepConfig] = []

    def keep(config: SweepConfig, words: list[str], mistakes: list[str]) -> int:
        assert mistakes == []
        found.append(config)
        return 0

    run_job("generate", list(overrides), keep)
    return found[0]


@cache
def patternnet_card() -> ModelCard:
    from atlas.zoo.card import make_card

    return make_card("patternnet", compose_model("patternnet"))


def small_plan(out: Path, *overrides: str) -> tuple[SweepConfig, Plan]:
    config = sweep(*SMALL, *overrides, out=out)
    return config, make_plan(config, {"patternnet": patternnet_card()})


def run_small(out: Path, *overrides: str) -> ImagesOutcome:
    """Run a small sweep to its end."""
    config, plan = small_plan(out, *overrides)
    return generate(config, plan, list(overrides))


def rows_of(out: Path, columns: list[str] | None = None, folder: str = "index") -> list[dict]:
    """Every row of an atlas, file by file, in a fixed order."""
    tables = [read_table(path, columns) for path in files_under(out / folder)]
    return [row for table in tables for row in table.to_pylist()]


def image_bytes(out: Path) -> dict[str, bytes]:
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in sorted((out / "images").rglob("*.png"))}
