"""Networks whose atlas is out of the ordinary, from the sweep to what verify says: gray pictures, and no gradients."""

import sys
from pathlib import Path

import pytest
from PIL import Image
from sweeps import SMALL, rows_of, sweep

from atlas.generate.job import ImagesOutcome, generate
from atlas.query.verify.verify import verify
from atlas.store.index import files_under, read_table
from atlas.store.paths import AtlasPaths
from atlas.sweep.plan import make_plan
from atlas.zoo.card import make_card

FACTORIES = """
import torch
from torch import nn

def gray():
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Conv2d(4, 5, 3))

class Cut(nn.Sequential):
    def forward(self, x):
        return self[1](self[0](x).detach())

def cut():
    return Cut(nn.Conv2d(3, 4, 3), nn.ReLU())
"""


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> ImagesOutcome:
    """What a sweep of one of the factories came to."""
    (tmp_path / "odd_networks.py").write_text(FACTORIES)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "odd_networks", raising=False)
    factory, layer = request.param
    words = ("model=custom", f"model.factory=odd_networks:{factory}", "model.input_size=48", f"layers=[{layer}]")
    config = sweep(*SMALL, *words, "channels=0:2", out=tmp_path / "a")
    (name,) = config.models
    return generate(config, make_plan(config, {name: make_card(name, config.models[name])}), [])


@pytest.mark.parametrize("made", [("gray", 2)], indirect=True)
def test_a_network_of_gray_pictures_has_an_atlas_of_gray_pngs(made: ImagesOutcome) -> None:
    assert made.made == 2
    for row in rows_of(made.paths.root):
        with Image.open(made.paths.root / row["image"]) as image:
            assert image.mode == "L"
    assert verify(made.paths).whole


@pytest.mark.parametrize("made", [("cut", 1)], indirect=True)
def test_a_layer_without_gradients_is_a_failure_and_no_dead_feature(made: ImagesOutcome) -> None:
    assert (made.dead, made.failed, made.code) == (0, 2, 3)
    (reason,) = made.reasons
    assert reason.startswith("NoGradient: ")
    rows = [row for file in files_under(AtlasPaths(made.paths.root).failures) for row in read_table(file).to_pylist()]
    assert {row["error_type"] for row in rows} == {"NoGradient"}
