"""Neighbors as they are asked for: right lists, refusals with the nearest name, and the reason for an empty one."""

import json
import re
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute
import pyarrow.parquet
import pytest
from made_atlas import LAYERS, WHOLE, make_atlas
from made_similarity import Sizes, write_similarity

from atlas.query.atlas import Atlas
from atlas.query.names import UnknownName
from atlas.query.question import Question
from atlas.query.tables_known import freshness
from atlas.query.why_empty import why_empty
from atlas.records import Address
from atlas.store.index import INDEX, write_rows, write_table

COLUMNS = [
    "rank",
    "dst",
    "score",
    "score_rev",
    "rank_rev",
    "mutual",
    "baseline",
    "excess",
    "scope",
    "measure",
    "probe",
    "name",
    "image",
]


@pytest.fixture(scope="module")
def atlas(tmp_path_factory):
    paths = make_atlas(tmp_path_factory.mktemp("similar") / "small")
    write_similarity(paths)
    with Atlas(paths.root) as opened:
        yield opened


def reason(atlas: Atlas, address: str, **options) -> str | None:
    return why_empty(atlas, Question.complete(Address.parse(address), **options))


def test_the_nearest_in_order_of_rank(atlas):
    rows = atlas.feature("beta net/block/0:4").similar(5)
    assert rows.column_names == COLUMNS
    assert rows["rank"].to_pylist() == [1, 2, 3, 4, 5]
    assert rows["dst"].to_pylist()[:2] == ["beta net/block/0:3", "beta net/block/0:5"]
    assert set(rows["scope"].to_pylist() + rows["measure"].to_pylist()) == {"layer", "sym"}
    assert rows["image"].to_pylist()[0] == "images/beta%20net/block%2F0/l1/3.png"
    assert (np.diff(rows["score"].to_numpy()) <= 0).all()
    assert rows.equals(atlas.feature("beta net/block/0:4").similar(5, measure="sym"))


def test_reverse_ranks_are_those_of_the_other_list(atlas):
    for row in atlas.feature("alpha/conv2:3").similar(20, scope="all").to_pylist():
        theirs = atlas.feature(row["dst"]).similar(20, scope="all").to_pylist()
        back = {neighbor["dst"]: neighbor["rank"] for neighbor in theirs}.get("alpha/conv2:3")
        assert (row["rank_rev"], row["mutual"]) == (back, back is not None)


def test_another_model(atlas):
    rows = atlas.feature("alpha/conv1:0").similar(4, to="beta net").to_pylist()
    assert [row["rank"] for row in rows] == [1, 2, 3, 4]
    assert {(row["scope"], row["measure"]) for row in rows} == {("other", "profile")}
    assert all(row["dst"].startswith("beta net/") for row in rows)
    assert rows == atlas.feature("alpha/conv1:0").similar(4, scope="other").to_pylist()
    own = atlas.feature("alpha/conv1:0").similar(4, to="alpha")["scope"].to_pylist()
    assert set(own) == {"model"}


def test_opposites_and_the_mutual(atlas):
    far = atlas.feature("alpha/conv2:3").similar(3, opposite=True)
    assert far["rank"].to_pylist() == [1, 2, 3]
    assert max(far["score"].to_pylist()) < min(atlas.feature("alpha/conv2:3").similar(3)["score"].to_pylist())
    kept = atlas.feature("alpha/conv2:3").similar(30, scope="all", mutual=True)
    assert kept.num_rows > 0 and all(kept["mutual"].to_pylist())


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"measure": "profil"}, "no measure 'profil': did you mean profile"),
        ({"scope": "layers"}, "no scope 'layers': did you mean layer"),
        ({"to": "bta net"}, "no model 'bta net' in .*did you mean beta net"),
        ({"probe": "natrual"}, "no probe 'natrual' in .*: allowed: atlas"),
    ],
)
def test_names_that_there_are_not(atlas, options, words):
    with pytest.raises(UnknownName, match=words):
        atlas.feature("alpha/conv1:0").similar(**options)


def test_features_that_there_are_not(atlas):
    with pytest.raises(UnknownName, match="did you mean alpha/conv"):
        atlas.feature("alpha/conv9:0").similar()
    with pytest.raises(UnknownName, match="nearest are alpha/conv1:5"):
        atlas.feature("alpha/conv1:99").similar()
    with pytest.raises(UnknownName, match="model/layer:channel"):
        atlas.feature("nonsense").similar()
    with pytest.raises(ValueError, match="top is 0"):
        atlas.feature("alpha/conv1:0").similar(0)


@pytest.mark.parametrize(
    ("address", "options", "words"),
    [
        ("alpha/conv1:3", {}, "dead: no gradient reaches it, so it has no similarity"),
        ("alpha/conv2:5", {}, "making it failed"),
        ("beta net/block/0:19", {}, "no image yet"),
        ("alpha/conv1:0", {"scope": "other", "to": "alpha"}, "none of the 16 .* is in alpha"),
        ("alpha/conv1:0", {"probe": "natural", "measure": "sym"}, "probe=natural has only profile"),
        (
            "alpha/conv1:0",
            {"probe": "natural", "scope": "all"},
            "no profile in scope all; there is profile in scope layer",
        ),
    ],
)
def test_why_a_list_is_empty(tmp_path, address, options, words):
    paths = make_atlas(tmp_path / "a", images=False)
    write_similarity(paths)
    write_similarity(paths, Sizes(probe="natural", scopes=("layer",), measures=("profile",)))
    with Atlas(paths.root) as atlas:
        assert atlas.feature(address).similar(**options).num_rows == 0
        text = reason(atlas, address, **options)
        assert text is not None
        assert re.search(words, text), text


def test_there_is_no_reason_where_there_are_rows(atlas):
    assert reason(atlas, "alpha/conv1:0") is None


def test_similarity_that_was_never_run(tmp_path):
    paths = make_atlas(tmp_path / "a", WHOLE, images=False)
    with Atlas(paths.root) as atlas:
        assert atlas.feature("alpha/conv1:0").similar().schema.names == COLUMNS
        assert f"`atlas similarity out={paths.root}`" in (reason(atlas, "alpha/conv1:0") or "")
        assert freshness(atlas) is None


def test_what_was_made_after_similarity_was_run(tmp_path):
    paths = make_atlas(tmp_path / "a", LAYERS[:2], images=False)
    write_similarity(paths)
    late = {"feature": "alpha/conv1:70", "model": "alpha", "layer": "conv1", "channel": 70, "task": "t", "seed": 0}
    late |= {"status": "ok", "image": "images/x.png", "created": datetime(2026, 2, 1, tzinfo=UTC), "target": "channel"}
    write_rows(paths.shard_index("alpha", "conv1", "late"), [late], INDEX)
    with Atlas(paths.root) as atlas:
        assert "made after similarity was last run" in (reason(atlas, "alpha/conv1:70") or "")
        assert (
            freshness(atlas)
            == f"similarity knows 18 of 19 features; `atlas similarity out={paths.root}` brings it up to date"
        )
    state = json.loads(paths.similarity.read_text())
    state["atlas"]["features"] = 19
    paths.similarity.write_text(json.dumps(state))
    with Atlas(paths.root) as atlas:
        assert freshness(atlas) is None


def test_a_feature_that_does_the_same_on_every_picture(tmp_path):
    paths = make_atlas(tmp_path / "a", LAYERS[:1])
    write_similarity(paths)
    table = pa.parquet.read_table(paths.neighbor_table("layer", "sym", "atlas"), partitioning=None)
    mine = pa.compute.not_equal(table["src"], "alpha/conv1:0")
    write_table(paths.neighbor_table("layer", "sym", "atlas"), table.filter(mine))
    with Atlas(paths.root) as atlas:
        assert "the same on every picture" in (reason(atlas, "alpha/conv1:0") or "")


def test_matches_of_two_models(atlas):
    rows = atlas.match("alpha", "beta net")
    names = ["src", "dst", "score", "baseline", "excess", "mutual", "partner", "partner_score"]
    assert rows.column_names == names
    assert rows.num_rows == 18
    order = [(-row["score"], row["src"]) for row in rows.to_pylist()]
    assert order == sorted(order)
    assert atlas.match("alpha", "beta net", top=3).equals(rows.slice(0, 3))
    assert all(atlas.match("alpha", "beta net", mutual=True)["mutual"].to_pylist())


@pytest.mark.parametrize(
    ("models", "words"),
    [
        (("alpha", "beta"), "no model 'beta' in .*did you mean beta net"),
        (("alpah", "beta net"), "no model 'alpah' in .*did you mean alpha"),
        (("alpha", "alpha"), "two different models"),
        (("gamma", "gamma"), "no model 'gamma'"),
    ],
)
def test_models_that_cannot_be_matched(atlas, models, words):
    with pytest.raises(UnknownName, match=words):
        atlas.match(*models)


def test_a_question_opens_one_table_and_the_index_of_the_neighbors_layers(tmp_path, monkeypatch):
    paths = make_atlas(tmp_path / "a", images=False)
    write_similarity(paths)
    texts = []
    ask = Atlas.sql
    monkeypatch.setattr(Atlas, "sql", lambda self, text: texts.append(text) or ask(self, text))
    with Atlas(paths.root) as atlas:
        feature = atlas.feature("beta net/block/0:4")
        texts.clear()
        rows = feature.similar(3)
        plans = [atlas._connection.execute(f"explain analyze {text}").fetchall()[0][1] for text in texts]
    assert rows["dst"].to_pylist() == [f"beta net/block/0:{channel}" for channel in (3, 5, 2)]
    assert rows["image"].null_count == 0
    assert len(texts) == 2, "the list, and the images of those in it"
    assert "Scanning Files: 1/20" in plans[0]
    assert f"Scanning Files: 8/{len(list(paths.index.rglob('*.parquet')))}" in plans[1]
