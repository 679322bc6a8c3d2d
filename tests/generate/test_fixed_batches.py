"""On a GPU every batch is filled up to one size: the same images and rows, whatever fills it up, also where memory is short."""

from pathlib import Path

import pytest
import torch
from sweeps import image_bytes, rows_of, run_small

import atlas.generate.maker
from atlas.generate.maker import Maker

WORDS = ("layers=[conv4]", "channels=0:5")


@pytest.fixture
def filled(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many images were made at once; the CPU's batches are filled up to 4, as a GPU's are."""
    sizes: list[int] = []
    begin, make = Maker.__init__, atlas.generate.maker.make_images

    def fixed(self: Maker, *given) -> None:
        begin(self, *given)
        self.filled = {"conv4": 4}

    def noting(*given, **options):
        sizes.append(len(options["seeds"]))
        return make(*given, **options)

    monkeypatch.setattr(Maker, "__init__", fixed)
    monkeypatch.setattr(atlas.generate.maker, "make_images", noting)
    return sizes


def test_what_fills_a_batch_up_leaves_no_trace(filled: list[int], tmp_path: Path) -> None:
    run_small(tmp_path / "whole", *WORDS, "cluster.batch=4")
    assert filled == [4, 4]
    run_small(tmp_path / "resumed", "layers=[conv4]", "channels=0:2", "cluster.batch=4")
    run_small(tmp_path / "resumed", *WORDS, "cluster.batch=4")
    assert filled == [4] * 4
    whole, resumed = ({row["channel"]: row for row in rows_of(tmp_path / name)} for name in ("whole", "resumed"))
    assert set(whole) == set(resumed) == set(range(5))
    assert all(row["status"] == "ok" and row["steps"] == 4 for row in whole.values())
    assert image_bytes(tmp_path / "whole") == image_bytes(tmp_path / "resumed"), "bytes do not depend on the place"


def test_a_batch_that_does_not_fit_loses_what_fills_it_up_first(
    filled: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = atlas.generate.maker.make_images

    def short(*given, **options):
        if len(options["seeds"]) > 2:
            filled.append(len(options["seeds"]))
            raise torch.OutOfMemoryError
        return make(*given, **options)

    monkeypatch.setattr(atlas.generate.maker, "make_images", short)
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: None)
    outcome = run_small(tmp_path / "a", "layers=[conv4]", "channels=0:1", "cluster.batch=4")
    assert (outcome.made, outcome.failed) == (1, 0)
    assert filled == [4, 2]
