"""A small atlas of PatternNet: compared in this process without Ray, and looked into."""

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from sweeps import SMALL, patternnet_card, rows_of, sweep

from atlas.engine.stage import run_stage
from atlas.records import MEASURES
from atlas.similarity.job import SimilarityOutcome, similarity

LAYERS = ("layers=[conv1,conv2]", "channels=0:6")
PATTERNS = ("probe=patterns", "probes.patterns.count=20", "probes.patterns.examples=3")
COMPUTED = (
    "responses",
    "neighbors",
    "examples",
    "maps",
    "layers",
    "matches",
    "quality",
    "clusters",
    "layout",
    "similarity",
)


def compare(out: Path, *overrides: str, run_stage=run_stage) -> SimilarityOutcome:
    config = sweep(*SMALL, *overrides, out=out)
    return similarity(config, {"patternnet": patternnet_card()}, run_stage=run_stage)


def of(folder: Path) -> tuple[str, ...]:
    """The overrides for a probe of the pictures of a folder."""
    return ("probe=natural", f"probes.natural.folder={folder}", "probes.natural.examples=4")


def responses(out: Path, probe: str = "atlas") -> list[dict]:
    return rows_of(out, folder=f"responses/probe={probe}")


def neighbors(out: Path, scope: str = "all", measure: str = "sym", probe: str = "atlas") -> list[dict]:
    return pq.read_table(
        out / f"neighbors/scope={scope}/measure={measure}/{probe}.parquet", partitioning=None
    ).to_pylist()


def table(out: Path, name: str) -> list[dict]:
    return pq.read_table(out / f"{name}.parquet").to_pylist()


def stamps(out: Path) -> dict[str, int]:
    """Every file that a reader may look at, and when it was written."""
    files = (path for path in out.rglob("*") if path.is_file() and "staging" not in path.parts)
    return {path.relative_to(out).as_posix(): path.stat().st_mtime_ns for path in files}


def computed(out: Path) -> dict[str, int]:
    return {name: when for name, when in stamps(out).items() if name.startswith(COMPUTED)}


def state(out: Path) -> dict:
    return json.loads((out / "similarity.json").read_text())


def same_tables(out: Path, other: Path, probe: str = "atlas") -> None:
    for measure in MEASURES if probe == "atlas" else ("profile",):
        for a, b in zip(neighbors(out, "all", measure, probe), neighbors(other, "all", measure, probe), strict=True):
            for column, value in a.items():
                wanted = pytest.approx(value, rel=1e-5, abs=1e-5) if isinstance(value, float) else value
                assert b[column] == wanted
