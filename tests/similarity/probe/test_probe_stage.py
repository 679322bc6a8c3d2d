"""The first half of `similarity` with the real network and no Ray: which pictures are looked at,
and what is kept of them.
"""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from sweeps import rows_of, run_small
from torch import Tensor

from atlas.config.mistakes import ConfigError
from atlas.engine.drive import Ending
from atlas.engine.stage import run_stage
from atlas.store.photographs import photographs
from tests.similarity.small_atlas import (
    PATTERNS,
    compare,
    computed,
    neighbors,
    of,
    responses,
    same_tables,
    stamps,
    state,
    table,
)

pytestmark = pytest.mark.job


def test_responses_are_the_activations_that_the_index_holds(compared: Path) -> None:
    """Up to what 8 bits take from an image: measured, 0.03 % of the largest activation (conv6: 0.17 %)."""
    rows = responses(compared)
    assert len(rows) == len({(row["picture"], row["layer"]) for row in rows}) == 12 * 2
    images = {row["task"]: row for row in rows_of(compared)}
    for row in rows:
        image = images[row["picture"]]
        assert (row["feature"], row["image"], row["weights"]) == (image["feature"], image["image"], image["weights"])
        mean, peak = np.array(row["mean"]), np.array(row["max"])
        assert len(mean) == 32 and (peak >= mean - 1e-6).all()
        if row["layer"] == image["layer"]:
            activation = np.array(image["activation"])
            assert np.abs(mean - activation).max() < 0.002 * np.abs(activation).max()


def test_new_features_are_looked_at_and_no_old_response_is_touched(done: Path) -> None:
    before = {name: when for name, when in stamps(done).items() if name.startswith("responses")}
    run_small(done, "layers=[conv1,conv2]", "channels=0:8")
    outcome = compare(done)
    assert (outcome.features, outcome.looked, list(outcome.compared)) == (16, 4, ["atlas"])
    after = stamps(done)
    assert before.items() <= after.items()
    rows = responses(done)
    assert len(rows) == len({(row["picture"], row["layer"]) for row in rows}) == 16 * 2
    assert {row["src"] for row in neighbors(done)} == {
        f"patternnet/{layer}:{n}" for layer in ("conv1", "conv2") for n in range(8)
    }
    assert np.load(done / "maps/patternnet/conv1/sym.npy").shape == (8, 8)
    assert len(table(done, "quality")) == 16


def test_a_layer_that_comes_later_is_told_of_by_all_pictures(done: Path) -> None:
    before = {name: when for name, when in stamps(done).items() if name.startswith("responses")}
    run_small(done, "layers=[conv3]", "channels=0:3")
    outcome = compare(done)
    assert (outcome.features, outcome.looked) == (15, 15), "12 pictures by conv3, 3 by all three layers"
    assert before.items() <= stamps(done).items()
    answers = {(row["picture"], row["layer"]) for row in responses(done)}
    assert len(answers) == len(responses(done)) == 15 * 3
    assert len(table(done, "layers")) == 9


# Of features, the ways in which an image may be lost: there is none, or these bytes of it.
LOST = {
    "conv1:2": None,
    "conv1:4": lambda whole: b"",
    "conv2:0": lambda whole: whole[: len(whole) // 2],
    "conv2:5": lambda whole: b"no picture",
}


def test_images_that_are_lost_are_told_of_and_the_others_are_compared(fresh: Path) -> None:
    files = {name: fresh / f"images/patternnet/{name.replace(':', '/l1/')}.png" for name in LOST}
    whole = {name: file.read_bytes() for name, file in files.items()}
    for name, spoil in LOST.items():
        files[name].unlink() if spoil is None else files[name].write_bytes(spoil(whole[name]))
    outcome = compare(fresh)
    assert (outcome.looked, outcome.unread, list(outcome.compared), outcome.failures) == (8, 4, ["atlas"], [])
    there = {row[end] for row in neighbors(fresh) for end in ("src", "dst")}
    assert there.isdisjoint(f"patternnet/{name}" for name in LOST)
    assert len({row["src"] for row in neighbors(fresh)}) == 8
    assert state(fresh)["atlas"]["missing"] == {"pictures": 4}
    notes = [line for line in (fresh / "events.jsonl").read_text().splitlines() if '"note"' in line]
    assert all(any(str(file.relative_to(fresh)) in note for note in notes) for file in files.values())
    assert len(notes) == len(LOST)
    again = compare(fresh)
    assert (again.looked, again.unread, list(again.compared), again.idle) == (0, 4, [], False)
    for name, file in files.items():
        file.write_bytes(whole[name])
    repaired = compare(fresh)
    assert (repaired.looked, repaired.unread, list(repaired.compared)) == (4, 0, ["atlas"])
    assert len({row["src"] for row in neighbors(fresh)}) == 12
    assert len(responses(fresh)) == 24


def test_photographs_are_a_probe_of_their_own(done: Path, natural: Path) -> None:
    before = computed(done)
    (natural / "church" / "broken.jpg").write_bytes((natural / "church" / "0.jpg").read_bytes()[:500])
    (natural / "text.png").write_text("no picture")
    outcome = compare(done, *of(natural))
    assert (outcome.looked, outcome.unread, list(outcome.compared)) == (12, 2, ["natural"])
    assert state(done)["natural"]["missing"] == {"pictures": 2}
    assert state(done)["natural"]["measures"] == ["profile"]
    rows = responses(done, "natural")
    assert len(rows) == 24
    assert {row["feature"] for row in rows} == {None}
    shared = {"layers.parquet", "matches.parquet", "clusters.parquet", "layout.parquet", "similarity.json"}
    kept = {name: when for name, when in before.items() if name not in shared}
    assert kept.items() <= computed(done).items(), "the atlas's own tables stay as they were"
    for name, count in (("layers", 4), ("layout", 12)):
        probes = [row["probe"] for row in table(done, name)]
        assert (probes.count("atlas"), probes.count("natural")) == (count, count)
    assert {(row["probe"], row["measure"]) for row in table(done, "clusters")} == {
        ("atlas", "sym"), ("atlas", "profile"), ("natural", "profile")
    }  # fmt: skip
    assert [path.parent.name for path in (done / "neighbors/scope=all").rglob("natural.parquet")] == ["measure=profile"]
    assert (done / "maps/patternnet/conv1/profile-natural.npy").exists()
    assert state(done).keys() == {"atlas", "natural"}


def test_photographs_of_packages_are_a_probe_that_says_how_few_they_are(fresh: Path) -> None:
    outcome = compare(fresh, "probe=photographs")
    count = len(photographs())
    assert (outcome.looked, outcome.unread, list(outcome.compared)) == (count, 0, ["photographs"])
    assert outcome.notes == [f"probe photographs: {count} pictures, enough to see, not to name"]
    sources = {row["source"] for row in rows_of(fresh, folder="examples/probe=photographs")}
    assert "sklearn/flower.jpg" in sources and sources <= photographs().keys()
    assert compare(fresh, "probe=photographs").looked == 0


def test_half_of_a_folder_that_is_broken_is_listed_and_the_rest_is_done(fresh: Path, natural: Path) -> None:
    whole = (natural / "flower" / "0.jpg").read_bytes()
    for number in range(4):
        (natural / "church" / f"cut{number}.jpg").write_bytes(whole[: 400 * number])
        (natural / f"text{number}.png").write_text("no picture")
        (natural / f"zero{number}.webp").write_bytes(b"")
    outcome = compare(fresh, *of(natural))
    assert (outcome.looked, outcome.unread, list(outcome.compared)) == (12, 12, ["natural"])
    events = [json.loads(line) for line in (fresh / "events.jsonl").read_text().splitlines()]
    notes = [json.dumps(event) for event in events if event["event"] == "note"]
    broken = [f"{kind}{number}." for kind in ("cut", "text", "zero") for number in range(4)]
    assert len(notes) == 12 and all(sum(name in note for note in notes) == 1 for name in broken)
    rows = rows_of(fresh, folder="examples/probe=natural")
    assert len(rows) == 12 * 4 and all(row["heat"] for row in rows)


def test_a_picture_that_could_not_be_read_is_left_to_do(fresh: Path, natural: Path) -> None:
    broken = natural / "broken.jpg"
    broken.write_bytes(b"")
    assert compare(fresh, *of(natural)).unread == 1
    before = computed(fresh)
    again = compare(fresh, *of(natural))
    assert (again.looked, again.unread, list(again.compared)) == (0, 1, [])
    assert computed(fresh) == before
    shutil.copy(natural / "church" / "0.jpg", broken)
    outcome = compare(fresh, *of(natural))
    assert (outcome.looked, outcome.unread, list(outcome.compared)) == (1, 0, ["natural"])
    broken.unlink()
    gone = compare(fresh, *of(natural))
    assert (gone.looked, gone.unread, list(gone.compared)) == (0, 0, ["natural"])
    assert state(fresh)["natural"]["pictures"] == 12


def test_an_empty_folder_is_told_of_and_nothing_is_written(done: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    before = computed(done)
    with pytest.raises(ConfigError, match=r"natural\.folder=.*empty: holds no picture"):
        compare(done, *of(tmp_path / "empty"))
    assert computed(done) == before


def test_a_folder_of_nothing_that_can_be_read_is_told_of(done: Path, tmp_path: Path) -> None:
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "x.jpg").write_text("no picture")
    outcome = compare(done, *of(tmp_path / "bad"))
    assert (outcome.unread, list(outcome.compared)) == (1, [])
    assert any("natural" in note for note in outcome.notes)


def watching(look: Callable[[Tensor], object]) -> Callable[..., Ending]:
    """Stages in which `look` sees each batch that the model is shown, before the model does."""

    def run(work, shards, place, *, count, **others) -> Ending:
        def begin(model: str):
            probe = work(model)
            network = probe.__self__.loaded.model
            network.get_submodule("conv1").register_forward_pre_hook(lambda module, inputs: look(inputs[0]))
            return probe

        return run_stage(begin if count.unit == "pictures" else work, shards, place, count=count, **others)

    return run


def test_photographs_of_two_shapes_are_shown_at_the_models_own_size(fresh: Path, natural: Path) -> None:
    sides: list[int] = []
    run = watching(lambda images: sides.extend([images.shape[-1]] * len(images)))
    words = (*of(natural)[1:], "probes.natural.examples=0")  # no place is wanted, and so no receptive field measured
    compare(fresh, "probe=[atlas,natural]", *words, run_stage=run)
    assert sides.count(48) == 12, "images of the atlas as they were made"
    assert sides.count(64) == 12, "photographs at the model's own size"


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(("cluster.batch=1",), marks=pytest.mark.slow),
        ("cluster.batch=7",),
        pytest.param(("cluster.shard_seconds=0.000001",), marks=pytest.mark.slow),
    ],
)
def test_batches_and_shards_change_no_table(compared: Path, fresh: Path, words: tuple[str, ...]) -> None:
    outcome = compare(fresh, *words)
    assert list(outcome.compared) == ["atlas"]
    if "shard" in words[0]:
        assert len(list((fresh / "responses").rglob("*.parquet"))) == 24, "a shard for every picture"
    same_tables(compared, fresh)


def test_memory_that_runs_out_halves_the_batch(fresh: Path, compared: Path) -> None:
    sizes: list[int] = []

    def look(images: Tensor) -> None:
        sizes.append(len(images))
        if len(images) > 3:
            raise MemoryError("no room")

    outcome = compare(fresh, run_stage=watching(look))
    assert (outcome.looked, outcome.unread) == (12, 0)
    assert sizes == [12, 6, 3, 3, 3, 3]
    same_tables(compared, fresh)


def test_patterns_are_drawn_and_compared(fresh: Path) -> None:
    outcome = compare(fresh, *PATTERNS)
    assert (outcome.looked, list(outcome.compared)) == (20, ["patterns"])
    more = compare(fresh, "probe=patterns", "probes.patterns.count=25")
    assert (more.looked, list(more.compared)) == (5, ["patterns"])
    assert state(fresh)["patterns"]["pictures"] == 25
    other = compare(fresh, "probe=patterns", "probes.patterns.count=5", "probes.patterns.seed=1")
    assert (other.looked, state(fresh)["patterns"]["pictures"]) == (5, 5)
    by_seed: dict[str, list] = {}
    for row in responses(fresh, "patterns"):
        if row["picture"].endswith("/0") and row["layer"] == "conv1":
            by_seed[row["picture"]] = row["mean"]
    assert by_seed["drawing 0/0"] != by_seed["drawing 1/0"], "another seed draws other pictures"
