"""Sheets of thumbnails: each cell is the image of its position, as it lies there now."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from made_atlas import Made, make_atlas
from PIL import Image

from atlas.query.atlas import Atlas
from atlas.report.site.write import write_site
from atlas.store.paths import AtlasPaths
from tests.report.site_files import apart, cell_of, changed, data_of, files, layer_of, picture_of, sheet_of

pytestmark = [pytest.mark.job, pytest.mark.usefixtures("page")]


def test_a_cell_shows_the_image_of_its_position(compared: AtlasPaths) -> None:
    with Atlas(compared.root) as atlas:
        layer = layer_of(compared, "alpha", "conv2")
        grid = data_of(compared, "alpha", "conv2")
        assert layer["channels"] == [[0, 11]]
        for one, told in zip(layer["sets"], grid["sets"], strict=True):
            for position, state in enumerate(told["state"]):
                shown = cell_of(sheet_of(compared, "alpha", "conv2", f"{one['key']}-0"), position)
                if state == "f":
                    assert np.ptp(shown.mean((0, 1))) < 12 and shown.mean() < 40, "blank"
                    continue
                path = one["folder"] + str(position) + one["suffix"]
                assert atlas.sql(f"SELECT count(*) AS n FROM features WHERE image = '{path}'")["n"][0].as_py() == 1
                image = picture_of(compared.root / path)
                assert apart(shown, image) < 4
                assert np.corrcoef(shown.ravel(), image.ravel())[0, 1] > 0.95


def test_samples_are_images_of_the_layer(compared: AtlasPaths) -> None:
    layer = layer_of(compared, "alpha", "conv1")
    assert layer["samples"] == [0, 1, 2, 4, 5, 6, 7]
    with Image.open(sheet_of(compared, "alpha", "conv1", "samples")) as row:
        assert row.size == (7 * 96, 96)
    for place, channel in enumerate(layer["samples"]):
        shown = cell_of(sheet_of(compared, "alpha", "conv1", "samples"), place, columns=7)
        image = picture_of(compared.root / f"images/alpha/conv1/l1/{channel}.png")
        assert apart(shown, image) < 4


def test_a_large_layer_has_small_cells_and_several_sheets(tmp_path: Path) -> None:
    paths = make_atlas(tmp_path / "a", [Made("m", "wide", 600, 530, metrics=("l1",))], shard=600)
    write_site(paths)
    layer = layer_of(paths, "m", "wide")
    assert (layer["cell"], layer["channels"], layer["state"]) == (64, [[0, 599]], "o" * 530 + "l" * 70)
    assert sorted(path.name for path in (paths.site / "sprites" / layer["path"]).iterdir()) == [
        *(f"l1-{number}.webp" for number in range(3)),
        "samples.webp",
    ]
    for position in (0, 17, 255, 256, 529):
        shown = cell_of(sheet_of(paths, "m", "wide", f"l1-{position // 256}"), position % 256, cell=64)
        image = picture_of(paths.root / f"images/m/wide/l1/{position}.png", 64)
        assert apart(shown, image) < 5
    for number in (0, 7, 149):
        expected = [str(channel) for channel in range(4 * number, 4 * number + 4)]
        assert list(data_of(paths, "m", "wide", f"features-{number}")["features"]) == expected


@pytest.mark.parametrize("how", ["gone", "damaged"])
def test_an_image_that_cannot_be_read_is_a_blank_cell_and_a_note(made: AtlasPaths, how: str) -> None:
    image = made.root / "images/alpha/conv1/l1/2.png"
    whole = image.read_bytes()
    if how == "gone":
        image.unlink()
    else:
        image.write_bytes(whole[: len(whole) // 2])
    shutil.rmtree(made.site / "sprites")
    written = write_site(made)
    told = "1 image is missing or damaged, as images/alpha/conv1/l1/2.png; "
    assert [told, f"atlas verify --atlas {made.root}", " lists all"] in written.notes
    assert cell_of(sheet_of(made, "alpha", "conv1", "l1-0"), 2).mean() < 40
    assert cell_of(sheet_of(made, "alpha", "conv1", "l1-0"), 4).std() > 5
    image.write_bytes(whole)
    assert write_site(made).written == 5, "the sheet, the samples, the map, its band and the overview"
    assert cell_of(sheet_of(made, "alpha", "conv1", "l1-0"), 2).std() > 5


def test_an_image_that_was_replaced_and_restored_is_drawn_again(made: AtlasPaths) -> None:
    image, other = made.root / "images/alpha/conv1/l1/2.png", made.root / "images/alpha/conv1/l1/4.png"
    whole, before = image.read_bytes(), files(made)
    sheets = [sheet_of(made, "alpha", "conv1", name) for name in ("l1-0", "samples")]
    named = {
        *(sheet.relative_to(made.site).as_posix() for sheet in sheets),
        "maps/alpha/atlas.webp",
        "bands/alpha.webp",
    }
    shutil.copyfile(other, image)
    os.utime(image, ns=(1, 1))
    write_site(made)
    assert changed(made, before) == named
    assert apart(cell_of(sheets[0], 2), picture_of(other)) < 4
    image.write_bytes(whole)
    write_site(made)
    assert {name: data for name, (_, data) in files(made).items()} == {name: data for name, (_, data) in before.items()}


def test_a_copy_of_an_image_by_itself_is_no_news(made: AtlasPaths) -> None:
    before = files(made)
    for image in made.images.rglob("*.png"):
        os.utime(image)
    assert write_site(made).written == 0
    assert files(made) == before
