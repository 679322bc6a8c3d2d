"""A dream that was stopped goes on where it was, to the same bytes; a finished one is not made again."""

import signal
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import skimage.data
from PIL import Image

from atlas.cli.job import run_job
from atlas.config.recipe_files import read_recipe
from atlas.config.schema import DreamConfig, MetricConfig, ModelConfig
from atlas.dream import dream as dreamer
from atlas.dream.job import DreamOutcome, DreamRow, dream_job
from atlas.dream.progress import Journal
from atlas.engine.signals import StopNow, stop_requests
from atlas.optvis.batch import Moment
from atlas.store.images import read_note

pytestmark = pytest.mark.job

STEPS, EVERY = 10, 3
RECIPES = {"dream": [12.0, 12.0], "dream_normalized": [0.02, 0.01]}  # one by one, and several channels together


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Image.fromarray(skimage.data.chelsea()).resize((57, 38)).save("cat.png")


def dreams(recipe: str = "dream_normalized", **settings: Any) -> DreamOutcome:
    octaves = [{"size": None, "steps": STEPS, "lr": RECIPES[recipe]}]
    given = {
        "image": "cat.png",
        "models": {"patternnet": ModelConfig(source="patternnet")},
        "metrics": {"mean": MetricConfig()},
        "layers": ["conv2"],
        "channels": [0, 5],
        "frames": EVERY,
        "device": "cpu",
        **settings,
    }
    config = DreamConfig(recipe=read_recipe(recipe, octaves=octaves), **given)
    return dream_job(config, [], lambda row, pictures: None, stop_requests)


def files(out: str = "outputs/dream") -> dict[str, bytes]:
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in Path(out).rglob("*") if path.is_file()}


def told(rows: list[DreamRow]) -> list[dict[str, Any]]:
    return [{**asdict(row), "dream": Path(row.dream).name} for row in rows]


def at_step(monkeypatch: pytest.MonkeyPatch, number: int, act: Callable[[], object]) -> list[int]:
    """Do something once, after so many steps of all dreams; the steps that were made."""
    steps: list[int] = []
    watch, left = Journal.watch, iter(range(number - 1, -1, -1))

    def spied(journal: Journal, moment: Moment) -> None:
        steps.append(moment.step)
        if next(left, None) == 0:
            act()
        watch(journal, moment)

    monkeypatch.setattr(Journal, "watch", spied)
    return steps


def interrupt() -> None:
    signal.raise_signal(signal.SIGINT)


def leave() -> None:
    raise StopNow


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("after", [1, 6, 10])
def test_a_signal_loses_no_step_and_no_byte_differs(recipe: str, after: int, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = dreams(recipe, out="outputs/whole")
    steps = at_step(monkeypatch, after, interrupt)
    outcome = dreams(recipe)
    name = "patternnet/conv2:0" if recipe == "dream" else "patternnet/conv2:0 and 1 more"
    again = "0 of 2 dreams are finished; run the same again to go on from there"
    assert outcome.stopped == f"stopped by SIGINT after step {after} of {STEPS} of {name}; {again}"
    assert (outcome.code, outcome.rows, steps) == (75, [], list(range(1, after + 1)))
    frames = {f"{step:04d}" for step in range(EVERY, after + 1, EVERY)}
    assert {path.rpartition("-")[2] for path in files()} == {*(f"{step}.png" for step in frames), "unfinished.pt"}
    rest = dreams(recipe)
    both = 1 if recipe == "dream_normalized" else 2
    assert len(steps) == STEPS * both, "no step is made twice"
    assert (told(rest.rows), rest.stopped) == (told(whole.rows), None)
    assert files() == files("outputs/whole")


@pytest.mark.parametrize(
    ("recipe", "after", "goes_on"),
    [("dream_normalized", 2, 1), ("dream_normalized", 8, 7), ("dream", 5, 4), ("dream", STEPS + 5, 4)],
)
def test_what_dies_at_once_goes_on_from_its_last_whole_frame(
    recipe: str, after: int, goes_on: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = dreams(recipe, out="outputs/whole")
    steps = at_step(monkeypatch, after, leave)
    with pytest.raises(StopNow):
        dreams(recipe)
    steps.clear()
    assert told(dreams(recipe).rows) == told(whole.rows)
    assert steps[0] == goes_on
    assert files() == files("outputs/whole")


def test_finished_dreams_are_not_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    first, before = dreams(), files()
    note = read_note(Path(first.rows[0].dream))
    assert note is not None and (note["steps"], note["frames"]) == (STEPS, [3, 6, 9, 10])

    def refused(*args: Any, **named: Any) -> Any:
        raise AssertionError("made again")

    monkeypatch.setattr(dreamer, "make_images", refused)
    again = dreams()
    assert (told(again.rows), again.code, files()) == (told(first.rows), 0, before)


@pytest.mark.parametrize(
    "change",
    [
        {"frames": 4},
        {"metrics": {"l1": MetricConfig(200.0)}},
        {"size": 40},
        {"models": {"patternnet": ModelConfig(source="patternnet", weights="none")}},
    ],
)
def test_another_dream_of_the_same_name_is_made_anew(change: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    dreams()
    steps = at_step(monkeypatch, 5, interrupt)
    dreams(**change)
    assert steps == [1, 2, 3, 4, 5], "it begins at the beginning"
    steps.clear()
    dreams()
    assert steps == list(range(1, STEPS + 1)), "and so does the first one"
    assert all("unfinished" not in path for path in files())


def test_a_frame_or_a_state_that_is_gone_or_damaged_is_made_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    dreams(out="outputs/whole")
    steps = at_step(monkeypatch, 7, interrupt)
    dreams()
    (state,) = Path("outputs/dream").rglob("*-unfinished.pt")
    state.write_bytes(state.read_bytes()[:-200])
    dreams()
    assert steps == [*range(1, 8), *range(1, STEPS + 1)]
    assert files() == files("outputs/whole")
    next(Path("outputs/dream").rglob("*-0006.png")).unlink()
    dreams()
    assert files() == files("outputs/whole")


def test_the_command_says_how_far_it_is_and_how_to_go_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["image=cat.png", "layers=[conv2]", "channels=[0,5]", "device=cpu", "recipe.octaves.0.steps=4"]
    at_step(monkeypatch, 6, interrupt)
    assert run_job("dream", arguments) == 75
    out, err = capsys.readouterr()
    assert len(out.splitlines()) == 3, "the first is finished"
    again = "1 of 2 dreams are finished; run the same again to go on from there"
    assert err.splitlines()[-1] == f"stopped by SIGINT after step 2 of 4 of patternnet/conv2:5; {again}"
    assert run_job("dream", arguments) == 0
    assert len(capsys.readouterr().out.splitlines()) == 4
