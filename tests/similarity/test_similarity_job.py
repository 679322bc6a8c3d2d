"""`similarity` with the real network and no Ray: what is computed, resumed, kept up to date, and what survives faults."""

import json
import os
import shutil
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from omegaconf import OmegaConf
from PIL import Image
from planted import Planted, oracle
from sweeps import SMALL, patternnet_card, rows_of, run_small, sweep

import atlas.similarity.comparison
import atlas.similarity.job
from atlas.cli.job import run_job
from atlas.config.mistakes import ConfigError
from atlas.records import MEASURES, SCOPES, Address
from atlas.run.drive import Ending
from atlas.similarity.compare.comparer import Comparer
from atlas.similarity.job import Outcome, similarity
from atlas.similarity.probe.pictures import PictureReader
from atlas.similarity.tables.examples import SIDE
from atlas.store.lock import Lock, Locked
from atlas.store.manifest import NotAnAtlas

ASK = ("layers=[conv1,conv2]", "channels=0:6")
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


def compare(out: Path, *overrides: str) -> Outcome:
    return similarity(sweep(*SMALL, f"out={out}", *overrides), {"patternnet": patternnet_card()})


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("template") / "a"
    run_small(out, *ASK)
    return out


@pytest.fixture(scope="module")
def compared(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("compared") / "a"
    shutil.copytree(template, out)
    compare(out)
    return out


@pytest.fixture
def fresh(template: Path, tmp_path: Path) -> Path:
    """An atlas of 12 images that was never compared."""
    return Path(shutil.copytree(template, tmp_path / "a"))


@pytest.fixture
def done(compared: Path, tmp_path: Path) -> Path:
    """The same atlas, compared."""
    return Path(shutil.copytree(compared, tmp_path / "a"))


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


def same_tables(one: Path, two: Path, probe: str = "atlas") -> None:
    for measure in MEASURES if probe == "atlas" else ("profile",):
        for a, b in zip(neighbors(one, "all", measure, probe), neighbors(two, "all", measure, probe), strict=True):
            for column, value in a.items():
                wanted = pytest.approx(value, rel=1e-5, abs=1e-5) if isinstance(value, float) else value
                assert b[column] == wanted


def test_responses_are_the_activations_that_the_index_holds(compared: Path) -> None:
    """Up to what 8 bits take from an image: measured, 0.03 % of the largest activation (conv6: 0.17 %)."""
    rows = responses(compared)
    assert len(rows) == len({(row["picture"], row["layer"]) for row in rows}) == 12 * 2
    made = {row["task"]: row for row in rows_of(compared)}
    for row in rows:
        image = made[row["picture"]]
        assert (row["feature"], row["image"], row["weights"]) == (image["feature"], image["image"], image["weights"])
        mean, peak = np.array(row["mean"]), np.array(row["max"])
        assert len(mean) == 32 and (peak >= mean - 1e-6).all()
        if row["layer"] == image["layer"]:
            activation = np.array(image["activation"])
            assert np.abs(mean - activation).max() < 0.002 * np.abs(activation).max()


def test_tables_are_those_of_a_float64_oracle(compared: Path) -> None:
    """METHODS 5.8, from the responses on."""
    rows = responses(compared)
    made = {row["picture"]: row["feature"] for row in rows}
    pictures = sorted(made)
    addresses = sorted(set(made.values()))
    said = {(row["picture"], row["layer"]): row["mean"] for row in rows}
    values = np.array(
        [[said[p, one.layer][one.channel] for one in map(Address.parse, addresses)] for p in pictures], np.float32
    )
    own = np.array([addresses.index(made[picture]) for picture in pictures])
    layers = np.array([int("conv2" in made[picture]) for picture in pictures])
    data = Planted(addresses, values, own, layers)
    for measure in MEASURES:
        scores, found = oracle(data, measure), neighbors(compared, "all", measure)
        assert len(found) == 12 * (11 + 5)
        for row in found:
            wanted = scores[addresses.index(row["src"]), addresses.index(row["dst"])]
            assert row["score"] == pytest.approx(wanted, rel=1e-5, abs=1e-5)
    assert sorted(row["task"] for row in table(compared, "quality")) == pictures


def test_every_table_is_there(compared: Path) -> None:
    for scope in ("layer", "model", "all"):
        assert {path.name for path in (compared / f"neighbors/scope={scope}").iterdir()} == {
            f"measure={m}" for m in MEASURES
        }
    assert not (compared / "neighbors/scope=other").exists(), "there is but one model"
    assert len(table(compared, "layers")) == 4
    assert table(compared, "matches") == []
    assert len(table(compared, "clusters")) == 12 * 2
    assert len(table(compared, "layout")) == 12
    for layer in ("conv1", "conv2"):
        for measure in ("sym", "profile"):
            assert np.load(compared / f"maps/patternnet/{layer}/{measure}.npy").shape == (6, 6)
            order = np.load(compared / f"maps/patternnet/{layer}/{measure}.order.npy")
            assert sorted(order) == list(range(6))
    said = state(compared)["atlas"]
    assert (said["features"], said["pictures"], said["missing"]) == (12, 12, {"pictures": 0})
    assert said["measures"] == list(MEASURES) and said["scopes"] == list(SCOPES)
    assert not list((compared / "staging").glob("bank-*"))
    assert not (compared / "lock").exists()


def test_the_same_again_does_nothing_and_writes_no_file(done: Path) -> None:
    before = stamps(done)
    outcome = compare(done)
    assert outcome.idle
    assert (outcome.features, outcome.looked, list(outcome.compared)) == (12, 0, [])
    assert stamps(done) == before


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
    counted = {(row["picture"], row["layer"]) for row in responses(done)}
    assert len(counted) == len(responses(done)) == 15 * 3
    assert len(table(done, "layers")) == 9


@pytest.mark.parametrize("fault", ["missing", "empty", "cut off", "text"])
def test_an_image_that_is_lost_is_told_of_and_the_others_are_compared(fresh: Path, fault: str) -> None:
    victim = fresh / "images/patternnet/conv1/l1/2.png"
    whole = victim.read_bytes()
    victim.unlink()
    if fault != "missing":
        victim.write_bytes({"empty": b"", "cut off": whole[: len(whole) // 2], "text": b"no picture"}[fault])
    outcome = compare(fresh)
    assert (outcome.looked, outcome.unread, list(outcome.compared), outcome.failures) == (11, 1, ["atlas"], [])
    assert "patternnet/conv1:2" not in {row[end] for row in neighbors(fresh) for end in ("src", "dst")}
    assert len({row["src"] for row in neighbors(fresh)}) == 11
    assert state(fresh)["atlas"]["missing"] == {"pictures": 1}
    notes = [line for line in (fresh / "events.jsonl").read_text().splitlines() if '"note"' in line]
    assert len(notes) == 1 and "2.png" in notes[0]
    again = compare(fresh)
    assert (again.looked, again.unread, list(again.compared), again.idle) == (0, 1, [], False)
    victim.write_bytes(whole)
    repaired = compare(fresh)
    assert (repaired.looked, repaired.unread, list(repaired.compared)) == (1, 0, ["atlas"])
    assert len({row["src"] for row in neighbors(fresh)}) == 12
    assert len(responses(fresh)) == 24


def test_what_is_lost_is_said_and_the_exit_code_is_3(fresh: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (fresh / "images/patternnet/conv1/l1/2.png").write_bytes(b"no picture")
    assert run_job("similarity", [f"out={fresh}", "cluster=inline"]) == 3
    said = capsys.readouterr().err
    assert "2.png" in said and "1 picture could not be looked at" in said
    assert "features compared by what the pictures of probe atlas do to them" in said
    assert (fresh / "maps/patternnet/conv1/sym.png").exists()


@pytest.fixture(scope="module")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve pieces of two photographs, in folders, as different files."""
    from sklearn.datasets import load_sample_images

    folder = tmp_path_factory.mktemp("photographs")
    for name, pixels in zip(("church", "flower"), load_sample_images().images, strict=True):
        (folder / name).mkdir()
        for number in range(6):
            y, x = divmod(number, 3)
            piece = Image.fromarray(pixels[y * 200 : y * 200 + 180, x * 200 : x * 200 + 200])
            piece.save(folder / name / f"{number}.{('jpg', 'png', 'webp')[number % 3]}")
    return folder


@pytest.fixture
def natural(photographs: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(photographs, tmp_path / "photographs"))


def of(folder: Path) -> tuple[str, ...]:
    return ("probe=natural", f"probes.natural.folder={folder}", "probes.natural.examples=4")


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


def test_examples_are_the_pictures_that_drive_a_feature_most(fresh: Path, natural: Path) -> None:
    compare(fresh, *of(natural))
    table, folder = fresh / "examples/probe=natural/examples.parquet", fresh / "pictures/natural"
    rows = pq.read_table(table, partitioning=None).to_pylist()
    said = {(row["picture"], row["layer"]): row for row in responses(fresh, "natural")}
    pictures = sorted({picture for picture, _ in said}, key=lambda one: natural / one.rpartition(" ")[0])
    by_feature: dict[str, list[dict]] = {}
    for row in rows:
        by_feature.setdefault(row["feature"], []).append(row)
    assert len(by_feature) == 12
    for kept in by_feature.values():
        layer, channel = kept[0]["layer"], kept[0]["channel"]
        wanted = sorted(pictures, key=lambda one: -said[one, layer]["mean"][channel])[:4]
        assert [row["rank"] for row in kept] == [1, 2, 3, 4]
        assert [row["picture"] for row in kept] == wanted
        for row in kept:
            assert row["mean"] == said[row["picture"], layer]["mean"][channel]
            assert row["max"] == said[row["picture"], layer]["max"][channel]
            assert (natural / row["source"]).exists()
            with Image.open(fresh / row["image"]) as copy:
                assert copy.size == (SIDE, SIDE)
    named = {fresh / row["image"] for row in rows}
    assert set(folder.iterdir()) == named
    first = natural / rows[0]["source"]
    old = fresh / rows[0]["image"]
    Image.new("RGB", (200, 180)).save(first)
    outcome = compare(fresh, *of(natural))
    assert (outcome.looked, list(outcome.compared)) == (1, ["natural"])
    rows = pq.read_table(table, partitioning=None).to_pylist()
    assert not old.exists(), "nobody names the picture as it was"
    assert set(folder.iterdir()) == {fresh / row["image"] for row in rows}


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


def test_photographs_of_two_shapes_are_shown_at_the_models_own_size(fresh: Path, natural: Path, monkeypatch) -> None:
    sides, real = [], PictureReader.read

    def read(self: PictureReader, picture, side: int) -> Image.Image:
        sides.append(side)
        return real(self, picture, side)

    monkeypatch.setattr(PictureReader, "read", read)
    compare(fresh, "probe=[atlas,natural]", *of(natural)[1:])
    assert sides.count(48) == 12, "images of the atlas as they were made"
    assert sides.count(64) == 12, "photographs at the model's own size"


@pytest.mark.parametrize("words", [("cluster.batch=1",), ("cluster.batch=7",), ("cluster.shard_seconds=0.000001",)])
def test_batches_and_shards_change_no_table(compared: Path, fresh: Path, words: tuple[str, ...]) -> None:
    outcome = compare(fresh, *words)
    assert list(outcome.compared) == ["atlas"]
    if "shard" in words[0]:
        assert len(list((fresh / "responses").rglob("*.parquet"))) == 24, "a shard for every picture"
    same_tables(compared, fresh)


def test_memory_that_runs_out_halves_the_batch(fresh: Path, compared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from atlas.similarity.probe.worker import Prober

    real, sizes = Prober._look, []

    def tight(self: Prober, reader, layers, batch, **shape):  # type: ignore[no-untyped-def]
        sizes.append(len(batch))
        if len(batch) > 3:
            raise MemoryError("no room")
        return real(self, reader, layers, batch, **shape)

    monkeypatch.setattr(Prober, "_look", tight)
    outcome = compare(fresh)
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


def test_an_atlas_without_images_is_told_of(fresh: Path) -> None:
    shutil.rmtree(fresh / "index")
    outcome = compare(fresh)
    assert (outcome.features, list(outcome.compared)) == (0, [])
    assert "no image yet" in outcome.notes[0]
    assert computed(fresh) == {}
    assert not (fresh / "lock").exists()


def test_what_is_no_atlas_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotAnAtlas):
        compare(tmp_path / "nothing")
    assert not (tmp_path / "nothing").exists()


def test_an_atlas_that_somebody_works_on_is_refused(fresh: Path) -> None:
    with Lock(fresh / "lock"), pytest.raises(Locked):
        compare(fresh)
    assert computed(fresh) == {}


def test_a_model_that_no_config_tells_of_is_refused(fresh: Path) -> None:
    shutil.rmtree(fresh / "config")
    with pytest.raises(ConfigError, match="patternnet"):
        compare(fresh)


def test_images_of_other_weights_stand_for_nothing(done: Path) -> None:
    """The model's weights have changed, and no image was made with the new ones."""
    before = computed(done)
    card = replace(patternnet_card(), digest="changed")
    outcome = similarity(sweep(*SMALL, f"out={done}"), {"patternnet": card})
    assert (outcome.features, list(outcome.compared)) == (0, [])
    assert "changed" in outcome.notes[0] and patternnet_card().digest in outcome.notes[0]
    assert computed(done) == before


def test_after_the_weights_have_changed_only_new_images_stand_for_features(done: Path) -> None:
    from atlas.config.compose import compose_model
    from atlas.generate.job import generate
    from atlas.sweep.plan import make_plan
    from atlas.zoo.card import make_card

    random = replace(compose_model("patternnet"), weights="none")
    card = make_card("patternnet", random)
    config = sweep(*SMALL, f"out={done}", "layers=[conv1]", "channels=0:4", "models.patternnet.weights=none")
    generate(config, make_plan(config, {"patternnet": card}), [])
    outcome = similarity(sweep(*SMALL, f"out={done}"), {"patternnet": card})
    assert (outcome.features, outcome.looked, list(outcome.compared)) == (4, 16, ["atlas"])
    assert {row["src"] for row in neighbors(done)} == {f"patternnet/conv1:{n}" for n in range(4)}
    assert len(table(done, "quality")) == 4
    counted = [(row["picture"], row["layer"], row["weights"]) for row in responses(done)]
    assert len(counted) == len(set(counted)) == 24 + 16


def test_measures_that_are_no_longer_asked_for_are_removed(done: Path) -> None:
    outcome = compare(done, "similarity.measures=[z,profile]", "similarity.scopes=[layer,all]")
    assert (outcome.looked, list(outcome.compared)) == (0, ["atlas"])
    left = {
        tuple(part.partition("=")[2] for part in path.parts[-3:-1]) for path in (done / "neighbors").rglob("*.parquet")
    }
    assert left == {(scope, measure) for scope in ("layer", "all") for measure in ("z", "profile")}
    assert state(done)["atlas"]["measures"] == ["z", "profile"]
    assert {row["measure"] for row in table(done, "clusters")} == {"profile"}


def test_fewer_neighbors_are_asked_for(done: Path) -> None:
    compare(done, "similarity.top=2", "similarity.bottom=0")
    rows = neighbors(done)
    assert len(rows) == 12 * 2
    assert {row["sign"] for row in rows} == {1}


def test_two_models_are_compared_across(fresh: Path) -> None:
    """A copy of the model under another name: its channels are their twins."""
    from atlas.generate.job import generate
    from atlas.sweep.plan import make_plan

    twin = replace(patternnet_card(), name="twin")
    config = sweep(*SMALL, f"out={fresh}", *ASK)
    config.models = {"twin": config.models["patternnet"]}
    generate(config, make_plan(config, {"twin": twin}), [])
    outcome = similarity(sweep(*SMALL, f"out={fresh}"), {"patternnet": patternnet_card(), "twin": twin})
    assert (outcome.features, outcome.looked) == (24, 48)
    rows = table(fresh, "matches")
    assert len(rows) == 24
    for row in rows:
        twin_of = row["src"].partition("/")[2]
        assert row["dst"].endswith(twin_of) and row["partner"].endswith(twin_of)
        assert row["score"] > 0.9999 and row["mutual"]
    assert len(table(fresh, "layers")) == 16
    assert (fresh / "neighbors/scope=other").exists()


@pytest.mark.parametrize("stop", ["between the halves", "in the tables", "in the bank"])
def test_an_interrupted_comparison_touches_nothing_and_is_completed(
    done: Path, compared: Path, monkeypatch: pytest.MonkeyPatch, stop: str
) -> None:
    run_small(done, "layers=[conv1]", "channels=0:7")
    before = {name: when for name, when in computed(done).items() if not name.startswith("responses")}

    def stopped(*asked, **more):  # type: ignore[no-untyped-def]
        raise KeyboardInterrupt

    where = {"between the halves": "_compare", "in the tables": "write_results", "in the bank": "write_bank"}
    monkeypatch.setattr(atlas.similarity.comparison, where[stop], stopped)
    with pytest.raises(KeyboardInterrupt):
        compare(done)
    monkeypatch.undo()
    after = {name: when for name, when in computed(done).items() if not name.startswith("responses")}
    said = {"similarity.json"} if stop == "in the tables" else set()  # it no longer vouches for tables half replaced
    assert {name: when for name, when in after.items() if name not in said} == {
        name: when for name, when in before.items() if name not in said
    }
    assert not said or "atlas" not in state(done)
    assert len(responses(done)) == 13 * 2, "what was looked at is kept"
    assert not list((done / "staging").glob("bank-*")) and not (done / "lock").exists()
    outcome = compare(done)
    assert (outcome.looked, list(outcome.compared)) == (0, ["atlas"])
    assert len({row["src"] for row in neighbors(done)}) == 13


def test_a_comparison_that_was_stopped_is_resumed(fresh: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(job, bank, pictures):  # type: ignore[no-untyped-def]
        return Ending(stopped="stopped by SIGINT"), []

    monkeypatch.setattr(atlas.similarity.comparison, "_compare", stopped)
    outcome = compare(fresh, "probe=[atlas,patterns]", "probes.patterns.count=20")
    assert (outcome.stopped, list(outcome.compared), outcome.idle) == ("stopped by SIGINT", [], False)
    assert not (fresh / "neighbors").exists() and not (fresh / "similarity.json").exists()
    monkeypatch.undo()
    assert list(compare(fresh).compared) == ["atlas"]


def test_tables_that_were_cut_off_half_way_are_written_again(done: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed between two tables: similarity.json still tells of the tables before, so the next run writes all of them."""
    run_small(done, "layers=[conv1]", "channels=0:7")

    def stopped(*asked):  # type: ignore[no-untyped-def]
        raise KeyboardInterrupt

    monkeypatch.setattr(atlas.similarity.comparison, "write_quality", stopped)
    with pytest.raises(KeyboardInterrupt):
        compare(done)
    monkeypatch.undo()
    assert list(compare(done).compared) == ["atlas"]
    assert len(table(done, "quality")) == 13


def broken_for(feature: str) -> Callable:
    """A reader that breaks on one picture, in a way that nobody foresaw."""
    real = PictureReader.read

    def read(self: PictureReader, picture, side: int) -> Image.Image:
        if picture.feature == feature:
            raise RuntimeError("this one never works")
        return real(self, picture, side)

    return read


def test_a_picture_that_breaks_the_worker_is_told_of_and_the_others_are_compared(
    fresh: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PictureReader, "read", broken_for("patternnet/conv2:3"))
    outcome = compare(fresh)
    assert outcome.looked == 11
    assert outcome.unread == 1
    assert len(outcome.failures) == 1 and "this one never works" in outcome.failures[0]
    assert list(outcome.compared) == ["atlas"], "the others"
    assert len({row["src"] for row in neighbors(fresh)}) == 11
    again = compare(fresh)
    assert len(again.failures) == 1 and not again.idle, "told of each time"
    monkeypatch.undo()
    assert list(compare(fresh).compared) == ["atlas"]


def test_a_block_that_cannot_be_compared_is_told_of_and_no_table_is_written(
    done: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_small(done, "layers=[conv1]", "channels=0:7")
    before = {name: when for name, when in computed(done).items() if not name.startswith("responses")}

    def broken(self, block, path):  # type: ignore[no-untyped-def]
        raise RuntimeError("this block never works")

    monkeypatch.setattr(Comparer, "compare", broken)
    outcome = compare(done, "probe=[atlas,patterns]", "probes.patterns.count=10")
    assert list(outcome.compared) == [] and not outcome.idle
    assert len(outcome.failures) == 4, "two layers of two probes, each told of once"
    after = {name: when for name, when in computed(done).items() if not name.startswith("responses")}
    assert after == before
    monkeypatch.undo()
    assert list(compare(done, "probe=[atlas,patterns]", "probes.patterns.count=10").compared) == ["atlas", "patterns"]


def test_a_full_disk_stops_the_run_resumably(fresh: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import atlas.run.drive
    import atlas.similarity.probe.worker

    def full(path: Path, *asked) -> None:  # type: ignore[no-untyped-def]
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr(atlas.similarity.probe.worker, "write_table", full)
    monkeypatch.setattr(atlas.run.drive.time, "sleep", lambda seconds: None)
    outcome = compare(fresh)
    assert "No space left" in (outcome.stopped or "")
    assert (outcome.looked, list(outcome.compared)) == (0, [])
    monkeypatch.undo()
    assert compare(fresh).looked == 12


def test_a_damaged_response_file_says_what_to_do(done: Path) -> None:
    (file, *_) = sorted((done / "responses").rglob("*.parquet"))
    data = file.read_bytes()
    file.write_bytes(data[:-10])
    with pytest.raises(OSError, match="delete it"):
        compare(done)
    file.unlink()
    outcome = compare(done)
    assert outcome.looked == 12
    assert len(responses(done)) == 24


def test_a_lone_feature_has_nobody_to_be_compared_with(tmp_path: Path) -> None:
    out = tmp_path / "a"
    run_small(out, "layers=[conv1]", "channels=[3]")
    assert list(compare(out).compared) == ["atlas"]
    assert neighbors(out) == [] and table(out, "layout") == []
    natural = compare(out, *PATTERNS)
    assert list(natural.compared) == ["patterns"]
    assert neighbors(out, "all", "profile", "patterns") == []
    run_small(out, "layers=[conv1]", "channels=[3,4]")
    assert list(compare(out).compared) == ["atlas"]
    assert neighbors(out) == [], "of two, without the own image one is left, and one does not vary"
    assert {row["src"] for row in neighbors(out, "all", "raw")} == {"patternnet/conv1:3", "patternnet/conv1:4"}


def test_one_picture_alone_tells_of_no_feature(fresh: Path) -> None:
    """Nothing varies over one picture, so nothing is live."""
    for image in sorted((fresh / "images").rglob("*.png"))[1:]:
        image.unlink()
    outcome = compare(fresh)
    assert (outcome.looked, outcome.unread, list(outcome.compared)) == (1, 11, ["atlas"])
    assert neighbors(fresh) == [] and table(fresh, "layers") == []
    assert [row["self_rank"] for row in table(fresh, "quality")] == [None]


def test_where_no_worker_can_compare_it_is_told_of(fresh: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from atlas.similarity.compare.comparer import Comparer

    def broken(self, *given):  # type: ignore[no-untyped-def]
        raise RuntimeError("no room for the bank")

    monkeypatch.setattr(Comparer, "__init__", broken)
    outcome = compare(fresh)
    assert list(outcome.compared) == [] and not outcome.idle
    assert ["no room for the bank" in message for message in outcome.abandoned.values()] == [True]
    assert not (fresh / "neighbors").exists()
    monkeypatch.undo()
    assert list(compare(fresh).compared) == ["atlas"]


def test_tables_that_were_half_replaced_are_not_trusted(done: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked for otherwise, stopped when the tables were written, asked for as before: all is written again."""
    whole = atlas.similarity.comparison.write_results

    def written_and_stopped(*asked, **more):  # type: ignore[no-untyped-def]
        whole(*asked, **more)
        raise KeyboardInterrupt

    monkeypatch.setattr(atlas.similarity.comparison, "write_results", written_and_stopped)
    with pytest.raises(KeyboardInterrupt):
        compare(done, "similarity.top=2")
    monkeypatch.undo()
    assert list(compare(done).compared) == ["atlas"]
    assert max(row["rank"] for row in neighbors(done, "layer", "sym")) == 5


def test_tables_that_were_deleted_are_made_again(done: Path) -> None:
    assert compare(done).idle
    shutil.rmtree(done / "neighbors")
    assert list(compare(done).compared) == ["atlas"]
    assert neighbors(done, "layer", "sym")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1, signal.SIGINT])
def test_a_signal_while_tables_are_written_ends_the_job_resumably(
    done: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals, capsys: pytest.CaptureFixture[str]
) -> None:
    def signalled(*asked, **more):  # type: ignore[no-untyped-def]
        os.kill(os.getpid(), number)
        time.sleep(5)

    monkeypatch.setattr(atlas.similarity.comparison, "write_results", signalled)
    assert run_job("similarity", [*SMALL, f"out={done}", "similarity.top=2"]) == 75
    assert "run the same again" in capsys.readouterr().err
    assert not (done / "lock").exists() and not list((done / "staging").glob("bank-*"))
    monkeypatch.undo()
    assert list(compare(done).compared) == ["atlas"]


def test_what_was_asked_alone_is_recorded_and_no_models_are_read_from_it(done: Path) -> None:
    before = set((done / "config").iterdir())
    words = [*SMALL, f"out={done}", "similarity.top=3"]
    assert run_job("similarity", words) == 0
    (new,) = set((done / "config").iterdir()) - before
    said = OmegaConf.load(new / "similarity.yaml")
    assert (said.similarity.top, said.probes.atlas.kind, said.cluster.kind) == (3, "atlas", "inline")
    assert OmegaConf.load(new / "overrides.yaml") == words
    assert list(compare(done, "similarity.top=2").compared) == ["atlas"]
