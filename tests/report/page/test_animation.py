"""Animations: all frames are there, in time and in colour, in one size."""

import numpy as np
import pytest
from PIL import Image

from atlas.report.page.animation import PAUSE, XP_TITLE, durations, write_animation

COLOURS = [(200, 30, 30), (30, 160, 40), (40, 60, 190), (240, 200, 20), (255, 255, 255)]


def plains(count=5, size=(40, 30)):
    return [Image.new("RGB", size, COLOURS[k % 5]) for k in range(count)]


def read(path):
    """Each frame's pixels and milliseconds."""
    with Image.open(path) as file:
        frames = []
        for k in range(getattr(file, "n_frames", 1)):
            file.seek(k)
            file.load()
            frames.append((np.asarray(file.convert("RGB")).astype(int), file.info.get("duration")))
        return frames, file.info


def test_frames_come_back(tmp_path):
    write_animation(tmp_path / "a.webp", plains(), seconds=2, title="t")
    frames, info = read(tmp_path / "a.webp")
    assert len(frames) == 5
    assert info["loop"] == 0
    assert [time for _, time in frames] == [400, 400, 400, 400, 400 + PAUSE]
    for (pixels, _), colour in zip(frames, COLOURS, strict=True):
        assert np.abs(pixels - colour).max() <= 6


def test_smaller_frames_stand_in_the_middle_of_white(tmp_path):
    frames = [Image.new("RGB", (40, 20), COLOURS[0]), Image.new("RGB", (20, 40), COLOURS[1])]
    write_animation(tmp_path / "a.webp", frames, seconds=1, title="t")
    for k, (pixels, _) in enumerate(read(tmp_path / "a.webp")[0]):
        assert pixels.shape == (40, 40, 3)
        assert np.abs(pixels[20, 20] - COLOURS[k]).max() <= 6
        edge = pixels[4, 20] if k == 0 else pixels[20, 4]
        assert np.abs(edge - 255).max() <= 6


def test_one_frame_is_enough(tmp_path):
    write_animation(tmp_path / "a.webp", plains(1), seconds=1, title="t")
    frames, _ = read(tmp_path / "a.webp")
    assert len(frames) == 1
    assert np.abs(frames[0][0] - COLOURS[0]).max() <= 6


def test_the_title_is_kept(tmp_path):
    write_animation(tmp_path / "a.webp", plains(), seconds=1, title="conv1 層 \ud800")
    with Image.open(tmp_path / "a.webp") as file:
        title = file.getexif()[XP_TITLE].decode("utf-16-le")
    assert title == "conv1 層 ?"


def test_the_same_frames_give_the_same_file(tmp_path):
    for name in "ab":
        write_animation(tmp_path / f"{name}.webp", plains(), seconds=1, title="t")
    assert (tmp_path / "a.webp").read_bytes() == (tmp_path / "b.webp").read_bytes()


def test_transparent_frames_stand_on_white(tmp_path):
    clear = Image.new("RGBA", (10, 10), (0, 0, 0, 0))
    write_animation(tmp_path / "a.webp", [clear, *plains(1, (10, 10))], seconds=1, title="t")
    assert (read(tmp_path / "a.webp")[0][0][0] == 255).all()


def test_many_colours_are_near_and_the_ground_is_exact_where_it_is_even(tmp_path):
    ramp = np.full((64, 256, 3), 255, np.uint8)
    ramp[16:48] = np.stack([np.arange(256), np.full(256, 90), 255 - np.arange(256)], axis=1)
    frames = [np.roll(ramp, 40 * k, axis=1) for k in range(4)]
    write_animation(tmp_path / "a.webp", [Image.fromarray(frame) for frame in frames], seconds=1, title="t")
    for (pixels, _), frame in zip(read(tmp_path / "a.webp")[0], frames, strict=True):
        assert (pixels[:8] == 255).all()
        assert np.abs(pixels - frame).mean() < 2


@pytest.mark.parametrize(("count", "seconds"), [(1, 1), (3, 1), (7, 2), (30, 4.2), (60, 4), (49, 1)])
def test_frames_together_take_the_seconds(count, seconds):
    shown = durations(count, seconds)
    assert len(shown) == count
    assert sum(shown) - PAUSE == pytest.approx(seconds * 1000, abs=10)
    assert np.ptp([*shown[:-1], shown[-1] - PAUSE]) <= 10


def test_no_frame_is_shorter_than_browsers_show():
    assert durations(100, 0.5) == [20] * 99 + [20 + PAUSE]


def test_what_cannot_be_written_is_said(tmp_path):
    with pytest.raises(ValueError, match=r"a\.mp4.*\.webp.*\.mp4"):
        write_animation(tmp_path / "a.mp4", plains(), seconds=1, title="t")
    with pytest.raises(ValueError, match="at least one frame"):
        write_animation(tmp_path / "a.webp", [], seconds=1, title="t")
    for seconds in (0, -1, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="above 0"):
            write_animation(tmp_path / "a.webp", plains(), seconds=seconds, title="t")
    assert list(tmp_path.iterdir()) == []


def test_suffixes_may_be_in_capitals(tmp_path):
    write_animation(tmp_path / "A.WEBP", plains(), seconds=1, title="t")
    assert len(read(tmp_path / "A.WEBP")[0]) == 5
