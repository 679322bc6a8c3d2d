"""Labels of pictures: what a drawing is of, and the subfolder that a photograph lies in."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from atlas.config.schema import ProbeConfig
from atlas.similarity.probe.labels import labels_of
from atlas.similarity.probe.pictures import STREAM_PICTURES, PictureReader, pictures_of, random_stream
from atlas.zoo.drawings import CLASSES, draw, sample, sample_labels


def test_labels_of_drawings_are_those_that_they_were_drawn_from(tmp_path: Path) -> None:
    probe = ProbeConfig("patterns", count=150, seed=3)
    pictures = pictures_of(probe)
    labels = labels_of(probe, pictures)
    assert len(set(labels)) == len(CLASSES)
    drawn, codes = sample(STREAM_PICTURES, random_stream(3, 1))
    assert labels[64:128] == [CLASSES[code] for code in codes]
    shown = np.asarray(PictureReader(probe, tmp_path).read(pictures[64 + 7], 64))
    assert np.abs(shown / 255 - drawn[7].permute(1, 2, 0).numpy()).max() < 1 / 128
    chosen = [pictures[130], pictures[5]]
    assert labels_of(probe, chosen) == [labels[130], labels[5]], "whatever the others are"


def test_sample_draws_what_its_labels_say() -> None:
    generator, again = (torch.Generator().manual_seed(4) for _ in range(2))
    assert torch.equal(sample(10, generator)[0], draw(sample_labels(10, again), again))


def test_labels_of_a_folder_are_its_first_subfolders(tmp_path: Path) -> None:
    for name in ("cat/1.png", "cat/old/2.png", "dog/1.png", "3.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 8)).save(tmp_path / name)
    probe = ProbeConfig("natural", str(tmp_path))
    pictures = pictures_of(probe)
    shown = dict(zip((picture.image for picture in pictures), labels_of(probe, pictures), strict=True))
    assert shown == {"3.png": None, "cat/1.png": "cat", "cat/old/2.png": "cat", "dog/1.png": "dog"}


@pytest.mark.parametrize("kind", ["atlas", "photographs"])
def test_other_pictures_have_no_label(kind: str) -> None:
    pictures = pictures_of(ProbeConfig("photographs"))
    assert set(labels_of(ProbeConfig(kind), pictures)) == {None}, "the package that brings a photograph is none"
