"""Contact sheets: every image at its place, dead, failed and missing ones told apart, drawn again only when stale."""

import numpy as np
import pytest
from made_atlas import LAYERS, Made, make_atlas, picture
from made_similarity import write_similarity
from PIL import Image

from atlas.query.atlas import Atlas
from atlas.report.examples import boxed, read_examples
from atlas.report.sheets import grid
from atlas.report.sheets.feature_sheet import feature_sheet
from atlas.report.sheets.layer_sheets import write_sheets
from atlas.store.images import to_pil

pytestmark = pytest.mark.job


@pytest.fixture
def paths(tmp_path):
    return make_atlas(tmp_path / "half")


def near(pixel, colour):
    return np.abs(np.subtract(pixel, colour)).max() < 12


def test_a_sheet_for_every_layer_and_metric(paths):
    written = write_sheets(paths)
    assert written == [paths.sheet(made.model, made.layer, metric) for made in LAYERS for metric in made.metrics]
    with Image.open(written[0]) as sheet:
        assert sheet.info["Title"] == "alpha / conv1 l1"


def test_only_stale_sheets_are_drawn_again(paths):
    write_sheets(paths)
    assert write_sheets(paths) == []
    stale = paths.sheet("alpha", "conv2", "l2")
    stale.write_bytes(b"half")
    changed = next(paths.layer_index("alpha", "conv1").glob("l1-0*"))
    changed.unlink()
    assert write_sheets(paths) == [paths.sheet("alpha", "conv1", "l1"), stale]


def test_every_image_stands_at_its_place(paths):
    write_sheets(paths)
    with Image.open(paths.sheet("alpha", "conv2", "l1")) as file:
        sheet = np.asarray(file.convert("RGB")).astype(int)
    thumb, step = 128, 128 + grid.GAP
    left, top = grid.MARGIN, _first_row(sheet)
    for channel in range(8):
        x = left + channel * step
        shown = sheet[top + 8 : top + thumb - 8, x + 8 : x + thumb - 8]
        if channel == 5:  # failed: a frame around nothing
            assert near(sheet[top, x], grid.FAILED)
            assert near(shown[:40].reshape(-1, 3).mean(0), grid.GROUND)
        else:
            large = to_pil(picture(channel, 16)).resize((thumb, thumb), Image.Resampling.LANCZOS)
            assert np.abs(shown - np.asarray(large).astype(int)[8:-8, 8:-8]).max() <= 1


def _first_row(sheet: np.ndarray) -> int:
    """Where the thumbnails begin: the first row of pixels that is bright over a whole thumbnail's width."""
    strip = sheet[:, grid.MARGIN : grid.MARGIN + 128]
    return int(np.argmax((np.abs(strip - grid.GROUND).max(-1) > 12).mean(1) > 0.95))


def test_a_dead_image_is_struck_and_dimmed(tmp_path):
    path = tmp_path / "dead.png"
    to_pil(picture(0, 64, dead=True)).save(path)
    drawn = grid.draw_sheet("t", "s", [grid.Cell("0", "dead", path)], thumb=64, columns=1)
    alive = grid.draw_sheet("t", "s", [grid.Cell("0", "ok", path)], thumb=64, columns=1)
    gone = grid.draw_sheet("t", "s", [grid.Cell("0", "ok", tmp_path / "none.png")], thumb=64, columns=1)
    assert len({picture.tobytes() for picture in (drawn, alive, gone)}) == 3


@pytest.mark.parametrize("count", [1, 5, 16, 64, 100, 192, 256, 512, 832, 1024, 2048, 4096])
def test_sheets_stay_within_bounds(count):
    thumb = grid.thumb_size(count)
    columns = grid.column_count(count, thumb)
    assert columns * (thumb + grid.GAP) + 2 * grid.MARGIN <= grid.WIDEST
    assert 1 <= columns <= count


def test_a_features_sheet_has_a_place_for_every_image(tmp_path):
    made = Made("m", "l", 4, 3, dead=(1,), metrics=("l1", "l2", "linf"))
    with Atlas(make_atlas(tmp_path / "a", [made]).root) as atlas:
        path = feature_sheet(atlas, atlas.feature("m/l:2"))
        assert path == atlas.paths.sheet("m", "l", "feature-2")
        with Image.open(path) as sheet:
            assert sheet.width == 2 * grid.MARGIN + 3 * (256 + grid.GAP) - grid.GAP
        assert feature_sheet(atlas, atlas.feature("m/l:3")).exists()  # nothing made yet: empty frames


def test_a_features_sheet_shows_its_neighbors(tmp_path):
    paths = make_atlas(tmp_path / "a")
    with Atlas(paths.root) as atlas:
        plain = _height(feature_sheet(atlas, atlas.feature("alpha/conv1:2")))
        write_similarity(paths)
        dead = _height(feature_sheet(atlas, atlas.feature("alpha/conv1:3")))
        full = _height(feature_sheet(atlas, atlas.feature("alpha/conv1:2")))
    assert dead == plain
    # pictures, their receptive fields, its layer, its model, the other model, opposites
    assert full == pytest.approx(plain + grid.SECTION_GAP + 6 * grid.SECTION, abs=20)


def test_the_most_driving_picture_stands_beside_a_features_images_as_large_as_they(tmp_path):
    paths = make_atlas(tmp_path / "a")
    write_similarity(paths)
    with Atlas(paths.root) as atlas:
        feature = atlas.feature("alpha/conv1:2")
        example = next(read_examples(atlas, f"feature = '{feature}'"))
        with Image.open(feature_sheet(atlas, feature)) as sheet, Image.open(paths.root / example.image) as picture:
            row = _first_row(np.asarray(sheet.convert("RGB")))
            step = grid.MARGIN + 2 * (256 + grid.GAP)  # after its images of two metrics
            shown = sheet.crop((step, row, step + 256, row + 256)).convert("RGB")
            whole = boxed(picture.convert("RGB"), example.box).resize((256, 256), Image.Resampling.LANCZOS)
            assert np.abs(np.asarray(shown, int) - np.asarray(whole, int)).max() <= 1


def _height(path) -> int:
    with Image.open(path) as sheet:
        return sheet.height
