"""A worker that goes on with another model gives the bytes of a fresh process, whatever the model before has done to torch."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from sweeps import SMALL, image_bytes, patternnet_card, sweep

from atlas.config.schema import ModelConfig
from atlas.engine.attempt import Attempt
from atlas.engine.events import Done, Ready
from atlas.engine.worker import Worker
from atlas.generate.begin import begin_images
from atlas.generate.job import image_settings
from atlas.store.paths import AtlasPaths
from atlas.sweep.plan import make_plan
from atlas.zoo.card import make_card

RUDE = """
import torch
from torch import nn
from tests.test_torch_state import disturb

at_work = False

class Rude(nn.Sequential):
    def forward(self, images):
        if at_work:
            disturb()
        return super().forward(images)

class Careless(nn.Sequential):
    def forward(self, images):
        if at_work:
            torch.set_num_threads(2)
            torch.backends.fp32_precision = "tf32"
            torch.backends.mkldnn.matmul.fp32_precision = "bf16"
            torch.default_generator.manual_seed(1234)
        return super().forward(images)

def net(kind="Rude"):
    net = globals()[kind]()
    net.conv1 = nn.Conv2d(3, 4, 3)
    disturb()
    return net
"""


def test_the_bytes_of_a_model_are_those_of_a_worker_that_has_loaded_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the weights of the one that follows are read ahead with the last shard of the one before."""
    (tmp_path / "rude_net.py").write_text(RUDE)
    monkeypatch.syspath_prepend(str(tmp_path))
    ahead: list[Path] = []
    monkeypatch.setattr("atlas.engine.read_ahead.read_through", ahead.append)
    own = ModelConfig(source="custom", factory="rude_net:net", weights="none", input_size=48)
    others = {"rude": own, "careless": replace(own, kwargs={"kind": "Careless"})}
    cards = {name: make_card(name, model) for name, model in others.items()} | {"patternnet": patternnet_card()}

    sys.modules["rude_net"].__dict__["at_work"] = True

    def images(name: str, *models: str) -> dict[str, bytes]:
        """PatternNet's, made by a worker after those of other models."""
        paths = AtlasPaths(tmp_path / name)
        config = sweep(*SMALL, "layers=[conv1]", "channels=0:2", "seeds=[3]", out=paths.root)
        config = replace(config, models=config.models | others)
        plan = make_plan(config, cards)
        settings = image_settings(config, plan, paths, frozenset(s.variant for s in plan.shards), nonce="nonce")
        paths.staging.mkdir(parents=True)
        (paths.staging / "nonce").touch()
        worker = Worker(0, threads=1)
        for model, following in zip(models, [*models[1:], None], strict=True):
            assert isinstance(worker.setup(lambda model: begin_images(settings, model), model), Ready)
            for shard in (shard for shard in plan.shards if shard.model == model):
                event = worker.run(Attempt(shard, following=following))
                assert isinstance(event, Done) or model == "rude", event
        assert torch.get_default_dtype() == torch.float32
        return {path: data for path, data in image_bytes(paths.root).items() if "patternnet" in path}

    alone = images("alone", "patternnet")
    assert len(alone) == 2 and ahead == []
    assert images("after", "rude", "patternnet") == alone
    assert images("late", "careless", "rude", "patternnet") == alone
    assert list(map(str, ahead)) == [patternnet_card().file] * 2
    sys.modules.pop("rude_net")
