"""A run in numbers: what the driver shows, the dashboard that draws it, and the trackers."""

import json
import re
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

from atlas.engine.watchers import NUMBERS, Sight, trackers
from atlas.store.paths import AtlasPaths
from tests.config.composing import composed

ROOT = Path(__file__).parents[2]
SIGHT = Sight("a", "images", dict.fromkeys(NUMBERS, 1.0))


def test_the_dashboard_asks_for_gauges_that_there_are() -> None:
    dashboard = json.loads((ROOT / "jobs/grafana.json").read_text())
    questions = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    asked = set(re.findall(r"ray_atlas_(\w+)", " ".join(questions)))
    assert asked == set(NUMBERS)
    assert all(panel["title"] and panel["gridPos"]["w"] <= 24 for panel in dashboard["panels"])


def test_a_tracker_that_is_not_installed_is_refused_with_what_to_install() -> None:
    mistakes = composed("report=[tensorbord]").mistakes
    assert mistakes == ["report=tensorbord: did you mean tensorboard?"]
    (mistake,) = composed("report=[wandb]").mistakes
    assert mistake == "report=wandb: wandb is not installed: pip install wandb"


def test_a_tracker_gets_a_curve_of_each_number_and_is_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a stand-in for the library, which is not installed here, called as the real one is."""
    calls: list[tuple] = []

    class Writer:
        def __init__(self, folder: str) -> None:
            calls.append(("open", folder))

        def add_scalar(self, tag: str, data: float, step: int) -> None:
            calls.append((tag, data, step))

        def close(self) -> None:
            calls.append(("close",))

    summary = ModuleType("tensorboard.summary")
    summary.Writer = Writer
    monkeypatch.setitem(sys.modules, "tensorboard", ModuleType("tensorboard"))
    monkeypatch.setitem(sys.modules, "tensorboard.summary", summary)
    with trackers(["tensorboard"], AtlasPaths(tmp_path)) as (tracker,):
        tracker.watch(SIGHT)
        tracker.watch(SIGHT)
        last = replace(SIGHT, numbers={"done": 2.0})
        tracker.watch(last)
    assert calls[0] == ("open", str(tmp_path / "tensorboard"))
    first = [(f"images/{name}", 1.0, 0) for name in NUMBERS]
    assert calls[1:-1] == [*first, ("images/done", 2.0, 0)], "once in ten seconds, and at the end"
    assert calls[-1] == ("close",)
