"""What the files of a site say is what the atlas says."""

import json
from pathlib import Path

import numpy as np
import pytest
from made_atlas import CREATED, Made, make_atlas
from made_similarity import write_losing

from atlas.query.atlas import Atlas
from atlas.records import Address
from atlas.report.site import neighbors
from atlas.report.site.encoding import as_bytes, listed, rounded, script, step_of
from atlas.report.site.lists import MOST
from atlas.report.site.write import write_site
from atlas.store.files import write_json
from atlas.store.paths import AtlasPaths
from tests.report.site_files import data_of, layer_of, neighbors_of, unpacked, value

pytestmark = pytest.mark.usefixtures("page")


def test_states_and_scores(compared: AtlasPaths) -> None:
    grid = data_of(compared, "alpha", "conv1")
    assert [one["state"] for one in grid["sets"]] == ["ooodoooo"] * 2
    assert grid["sets"][0]["score"][:5] == [0.5, 1.5, 2.5, 0.0, 4.5]
    assert grid["sets"][0]["rank"] == [1, 1, 1, None, 1, 1, 1, 1]
    assert grid["sets"][0]["z"][:4] == [4.5, 4.5, 4.5, None]
    failed = data_of(compared, "alpha", "conv2")
    assert failed["sets"][0]["state"] == "ooooofoooooo"
    assert failed["failures"] == [
        [5, 0, "NonFinite", "no longer finite", 1],
        [5, 1, "NonFinite", "no longer finite", 1],
    ]
    assert data_of(compared, "beta net", "block/0")["sets"][1]["state"] == "o" * 16 + "l" * 4
    assert layer_of(compared, "beta net", "block/0")["state"] == "o" * 16 + "l" * 4
    assert layer_of(compared, "alpha", "conv1")["state"] == "ooodoooo"
    assert layer_of(compared, "alpha", "conv2")["state"] == "ooooofoooooo"
    assert value(compared, "atlas")["state"] == {"ok": 68, "dead": 2, "failed": 2, "left": 8}


def test_neighbors_are_those_of_the_query(compared: AtlasPaths) -> None:
    with Atlas(compared.root) as atlas:
        for address, chunk in (("alpha/conv2:1", 0), ("beta net/block/0:7", 1)):
            feature = Address.parse(address)
            told = data_of(compared, feature.model, feature.layer, f"features-{chunk}")
            lists = told["features"][str(feature.channel)]["neighbors"]
            assert {
                f"atlas/{scope}/{measure}" for scope in ("model", "other") for measure in ("sym", "profile")
            } <= set(lists)
            for name in lists:
                _, scope, measure = name.split("/")
                rows = neighbors_of(told, feature.channel, name)
                for sign, opposite in ((1, False), (-1, True)):
                    expected = atlas.feature(address).similar(50, scope=scope, measure=measure, opposite=opposite)
                    mine = [row for row in rows if row["sign"] == sign]
                    for key in ("dst", "rank", "rank_rev"):
                        assert [row[key] for row in mine] == expected[key].to_pylist()
                    for key in ("score", "baseline"):
                        assert [row[key] for row in mine] == pytest.approx(expected[key].to_pylist(), abs=1e-3)
                    assert [row["rank_rev"] is not None for row in mine] == expected["mutual"].to_pylist()


def test_pairs_of_two_layers_are_the_first_of_the_lists(compared: AtlasPaths) -> None:
    told = data_of(compared, "alpha", "conv1", "pairs")
    rows = list(zip(*told["rows"], strict=True))
    with Atlas(compared.root) as atlas:
        listed_rows = atlas.sql("""
            SELECT src, dst, score FROM neighbors WHERE scope = 'model' AND measure = 'profile' AND sign = 1
                AND src LIKE 'alpha/conv1:%' AND dst LIKE 'alpha/conv2:%'
            QUALIFY row_number() OVER (PARTITION BY src ORDER BY rank) = 1""").to_pylist()
    channels = [0, 1, 2, 3, 4, 5, 6, 7]
    mine = {
        f"alpha/conv1:{channels[position]}": str(Address(*told["layers"][layer], channel))
        for position, layer, channel, *_ in rows
    }
    assert mine == {row["src"]: row["dst"] for row in listed_rows} != {}
    assert max(row[4] for row in rows) * told["step"] == pytest.approx(
        max(row["score"] for row in listed_rows), abs=1e-3
    )


def test_closest_pairs_are_one_list_of_the_view_beyond_chance_and_the_first_is_told(compared: AtlasPaths) -> None:
    told = value(compared, "lists/pairs")
    assert "scope = 'all'" in told["sql"][""] and told["most"] == MOST
    with Atlas(compared.root) as atlas:
        rows = atlas.sql("SELECT src, dst FROM pairs WHERE scope = 'all' AND measure = 'profile' AND score > baseline")
        (first,) = atlas.pairs(1, scope="all").to_pylist()
    pairs = {(row["src"], row["dst"]) for row in rows.to_pylist()}
    mine = [tuple(str(Address(*told["layers"][row[k]], row[k + 1])) for k in (0, 2)) for row in told["rows"]]
    assert set(mine) == pairs != set()
    assert len(mine) == len({frozenset(pair) for pair in mine}), "each pair once"
    excess = [row[4] - row[5] for row in told["rows"]]
    assert excess == pytest.approx(sorted(excess, reverse=True), abs=1e-3)
    overview = value(compared, "atlas")
    lists = overview["lists"]
    assert lists == {kind: len(value(compared, f"lists/{kind}")["rows"]) for kind in lists}
    assert [str(Address(*side)) for side in overview["closest"]["sides"]] == [first["src"], first["dst"]]
    assert overview["closest"]["score"] == pytest.approx(first["score"], abs=1e-3)


def test_winners_are_those_whose_images_drive_a_losing_channel_most(made: AtlasPaths) -> None:
    assert data_of(made, "alpha", "conv2")["winners"] == {}
    write_losing(made, {Address("alpha", "conv2", 7): (9,), Address("alpha", "conv2", 8): (11, 2, 9)})
    write_site(made)
    assert data_of(made, "alpha", "conv2")["winners"] == {"7": 9, "8": 11}
    assert data_of(made, "alpha", "conv1")["winners"] == {}


def test_matches_are_those_of_the_query(compared: AtlasPaths) -> None:
    with Atlas(compared.root) as atlas:
        rows = {row["src"]: row for row in atlas.match("beta net", "alpha").to_pylist()}
    told = data_of(compared, "beta net", "block/0")["matches"]
    assert list(told) == ["alpha"]
    layers = told["alpha"]["layers"]
    for channel, row in enumerate(told["alpha"]["rows"]):
        expected = rows.get(f"beta net/block/0:{channel}")
        if expected is None:
            assert row is None
            continue
        assert f"alpha/{layers[row[0]]}:{row[1]}" == expected["dst"]
        assert row[2:5] == [pytest.approx(expected["score"], rel=1e-3), 0.3, int(expected["mutual"])]
        partner = f"alpha/{layers[row[5]]}:{row[6]}" if row[5] >= 0 else None
        assert partner == expected["partner"]
        assert (row[7] is None) == (partner is None)


def test_clusters_matrices_maps_examples_and_relations_are_those_of_the_tables(compared: AtlasPaths) -> None:
    grid, layer = data_of(compared, "alpha", "conv2"), layer_of(compared, "alpha", "conv2")
    assert layer["measures"] == ["sym", "profile"]
    told = data_of(compared, "alpha", "conv2", "matrix-profile")
    place = compared.map("alpha", "conv2", "profile")
    matrix = np.load(place.with_name("profile.npy"))
    above = matrix[np.triu_indices(len(matrix), 1)]
    assert np.abs(unpacked(told) - above).max() <= (told["high"] - told["low"]) / 255 + 1e-6
    assert told["channels"] == np.load(place.with_name("profile.order.npy")).tolist()
    assert {"order": told["channels"], "family": told["family"], "names": told["names"]} == grid["clusters"]["profile"]
    with Atlas(compared.root) as atlas:
        rows = atlas.sql("FROM layout WHERE model = 'alpha' ORDER BY feature").to_pylist()
        pictures = atlas.feature("alpha/conv2:2").rows("examples").sort_by("rank").to_pylist()
        pairs = atlas.sql("FROM layers").to_pylist()
    plane = value(compared, "maps/alpha")["atlas"]
    assert plane["channel"] == [row["channel"] for row in rows]
    assert [plane["layers"][number] for number in plane["layer"]] == [row["layer"] for row in rows]
    assert np.allclose(plane["x"], [row["x"] for row in rows], atol=1e-4)
    found = data_of(compared, "alpha", "conv2", "features-0")["features"]["2"]["examples"]["natural"]
    assert [shown["image"] for shown in found] == [row["image"] for row in pictures]
    assert [shown["mean"] for shown in found] == [1, 0.5, 0.3333, 0.25]
    assert [found[0][key] for key in ("name", "place", "box", "heat")] == [
        *("1.png", "at the bottom left", [0, 0.5, 0.5, 1]),
        [2, "AV/q"],  # of 0, 85, 255 and 170
    ]
    assert found[1]["name"] == "2.png"
    assert not {"place", "box", "heat"} & found[1].keys()
    relations = value(compared, "atlas")["relations"]["atlas"]
    assert [pair[:2] for pair in relations] == [[i, j] for i in range(3) for j in range(3)]
    assert len(pairs) == len(relations)
    assert relations[0] == [0, 0, 1, 1, 1, 0.5, 1, 0.2]


def test_spectrum_rivals_and_trace_are_those_of_the_index(compared: AtlasPaths) -> None:
    image = data_of(compared, "alpha", "conv2", "features-1")["features"]["4"]["images"][0]
    with Atlas(compared.root) as atlas:
        row = atlas.feature("alpha/conv2:4").rows().to_pylist()[0]
    vector = np.array(row["activation"])
    assert np.abs(unpacked(image["spectrum"]) - vector).max() <= np.ptp(vector) / 255
    assert [channel for channel, _ in image["rivals"]] == list(range(11, 3, -1))
    assert image["rivals"][0][1] == 1
    assert (image["trace"], image["task"], image["start"], image["steps"]) == ([0, 0.25, 0.5], row["task"], 0, 20)
    assert image["created"] == CREATED.isoformat()


def test_numbers_have_four_digits_and_none_is_no_number() -> None:
    values = np.array([0.123456, 12345.678, -1.00004, 0, 1e-9, 9999.6, 3.3e7])
    assert rounded(values).tolist() == [0.1235, 12350, -1, 0, 1e-9, 10000, 3.3e7]
    assert listed(np.array([1, np.nan, np.inf])) == [1, None, None]
    assert as_bytes(np.array([[np.nan]])) == as_bytes(np.zeros((1, 0))) == [None]
    assert as_bytes(np.full((1, 3), 7.0)) == [{"low": 7, "high": 7, "data": "AAAA"}]
    far = np.array([1000.4, np.nan, 1001.2])
    told, other = as_bytes(np.array([far, [1, 2, 3]]))
    assert told and other and np.allclose(unpacked(other), [1, 2, 3], atol=2 / 255)
    assert np.abs(unpacked(told) - far)[[0, 2]].max() < 0.01
    assert json.loads(script("k", far.tolist()[:1])[15:-2]) == [1000.4]
    with pytest.raises(ValueError):
        script("k", [float("nan")])


def test_an_atlas_without_any_image(tmp_path: Path) -> None:
    paths = make_atlas(tmp_path / "a", [Made("m", "l", 70, 0)])
    written = write_site(paths)
    assert written.notes == [["no image was made yet: ", "atlas run", " makes them"]]
    layer = layer_of(paths, "m", "l")
    assert (layer["state"], layer["samples"], layer["stands"]) == ("l" * 70, [], {})
    assert {(one["folder"], one["suffix"]) for one in layer["sets"]} == {("", "")}
    assert data_of(paths, "m", "l")["sets"][0]["state"] == "l" * 70
    assert list(data_of(paths, "m", "l", "features-17")["features"]) == ["68", "69"]
    assert not (paths.site / "sprites").exists()


def test_similarity_half_written_is_shown_without_its_matrix(made: AtlasPaths) -> None:
    place = made.map("alpha", "conv1", "sym")
    np.save(place.with_name("sym.npy"), np.zeros((3, 3)))
    place.with_name("sym.order.npy").unlink()
    matrix = made.map("alpha", "conv2", "sym").with_name("sym.order.npy")
    np.save(matrix, np.load(matrix)[::-1])
    write_json(made.similarity, {})
    write_site(made)
    assert layer_of(made, "alpha", "conv1")["measures"] == ["profile"]
    assert layer_of(made, "alpha", "conv2")["measures"] == ["profile"]
    assert not list((made.site / "data/layers/alpha").rglob("matrix-sym.js"))


def test_a_score_keeps_its_side_of_the_baseline_however_near_it_is() -> None:
    score = np.array([0.5, 0.3000004, 0.3, 0.2999996, 0.1, 0.2])
    baseline = np.array([0.3] * 5 + [np.nan])
    step = step_of(np.concatenate([score, baseline]))
    assert 0.4 / step >= 2000
    steps = neighbors.excess_in_steps(score - baseline, step)
    assert np.sign(steps[:5]).tolist() == [1, 1, 0, -1, -1]
    assert neighbors.known(steps)[5] is None
    assert np.abs(steps[:5] * step - (score - baseline)[:5]).max() <= step
    assert step_of(np.array([])) == step_of(np.zeros(2)) == 1
    for alike in (np.array([0.83, 0.83, np.nan]), np.array([1.0, 0.9999999])):
        step = step_of(alike)
        assert abs(np.rint(alike / step)[0] * step - alike[0]) < 1e-6 and np.abs(alike[:2] / step).max() < 2**31
