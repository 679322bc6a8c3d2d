"""Cards: what the planner learns of a model, of every model in conf/ and of ones that nobody configured."""

import pickle
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from omegaconf import OmegaConf
from torch import nn

from atlas.config.mistakes import ConfigError
from atlas.config.schema import ModelConfig
from atlas.zoo.card import layer_table, make_card, stages
from atlas.zoo.drawings import CLASSES
from atlas.zoo.layers import walk
from atlas.zoo.load import load

pytestmark = pytest.mark.job

CONF = Path(__file__).parents[2] / "conf" / "model"
NAMES = ["efficientnet_lite0", "googlenet", "inception_v3", "patternnet", "resnet152d", "resnet50", "vgg19"]


def configured(name: str) -> ModelConfig:
    """What conf/model/<name>.yaml says."""
    schema = OmegaConf.structured(ModelConfig)
    return OmegaConf.to_object(OmegaConf.merge(schema, OmegaConf.load(CONF / f"{name}.yaml")[name]))


QUICK = {"efficientnet_lite0", "patternnet", "vgg19"}


@pytest.mark.parametrize("name", [n if n in QUICK else pytest.param(n, marks=pytest.mark.slow) for n in NAMES])
def test_the_configured_zones_fit_the_model(name: str) -> None:
    config = configured(name)
    walked, chosen = layer_table(name, config)
    layers = walked.layers
    zones = {layer.name: layer.zone for layer in layers}
    assert list(chosen) == [layer for zone in config.zones.values() for layer in zone]
    assert list(dict.fromkeys(zones[layer] for layer in chosen)) == list(config.zones)
    assert [layer.index for layer in layers] == list(range(len(layers)))


def test_every_model_file_is_looked_at() -> None:
    assert sorted(path.stem for path in CONF.glob("*.yaml") if path.stem != "custom") == NAMES


@pytest.mark.slow
def test_layers_inside_a_zone_belong_to_it() -> None:
    zones = {layer.name: layer.zone for layer in layer_table("googlenet", configured("googlenet"))[0].layers}
    assert (zones["inception4c.branch2.1.conv"], zones["maxpool2"], zones["fc"]) == ("inception4", "", "")


def test_a_card_crosses_processes_and_agrees_with_the_table() -> None:
    config = configured("patternnet")
    config.weights = "none"
    card = make_card("patternnet", config)
    assert pickle.loads(pickle.dumps(card)) == card
    unnamed = tuple(replace(layer, classes=()) for layer in card.layers)
    walked, chosen = layer_table("patternnet", config)
    assert (unnamed, card.chosen) == (walked.layers, chosen)
    assert {layer.name: layer.classes for layer in card.layers if layer.classes} == {"logits": CLASSES}
    assert (card.input_size, card.weights, card.gpus) == (64, "none(seed 0)", torch.cuda.device_count())
    assert card.digest == load("patternnet", config).digest
    assert card.layers[-1].name == "logits"
    assert card.chosen[-1] == "logits"


def test_a_zone_that_names_no_layer_is_refused_with_the_nearest() -> None:
    config = ModelConfig(source="patternnet", weights="none", zones={"early": ["conv1", "convv2"], "late": ["x*"]})
    with pytest.raises(ConfigError) as caught:
        make_card("patternnet", config)
    assert len(caught.value.mistakes) == 2
    assert "models.patternnet.zones.early: 'convv2' names no layer; did you mean conv2" in caught.value.mistakes[0]


def test_a_size_that_the_model_cannot_take_is_a_mistake() -> None:
    config = ModelConfig(source="timm", weights="none", input_size=100)
    for look in (make_card, layer_table):
        with pytest.raises(ConfigError, match=r"models\.test_vit\.input_size=100: a forward pass .* failed"):
            look("test_vit", config)


def _dense_stages() -> list[str]:
    links = [f"features.{part}{i}" for i in (1, 2, 3) for part in ("denseblock", "transition")]
    return [*links, "features.denseblock4"]


VIT = "encoder.layers.encoder_layer"


@pytest.mark.parametrize(
    ("name", "chosen"),
    [
        ("resnet18", ["conv1", "layer1", "layer2", "layer3", "layer4"]),
        pytest.param("vgg11", [f"features.{i}" for i in (0, 3, 6, 8, 11, 13, 16, 18)], marks=pytest.mark.slow),
        pytest.param(
            "vit_tiny_patch16_224",
            ["patch_embed.proj", *(f"blocks.{i}" for i in range(12))],
            marks=pytest.mark.slow,
        ),
        pytest.param("convnext_tiny", [f"features.{i}" for i in range(8)], marks=pytest.mark.slow),
        pytest.param("swin_t", [f"features.{i}" for i in range(8)], marks=pytest.mark.slow),
        pytest.param(
            "vit_b_16", ["conv_proj", *(f"encoder.layers.encoder_layer_{i}" for i in range(12))], marks=pytest.mark.slow
        ),
        pytest.param("densenet121", ["features.conv0", *_dense_stages()], marks=pytest.mark.slow),
        pytest.param(
            "regnet_y_400mf", ["stem", *(f"trunk_output.block{i}" for i in range(1, 5))], marks=pytest.mark.slow
        ),
        pytest.param(
            "tf_efficientnet_lite0",
            ["conv_stem", *(f"blocks.{i}" for i in range(7)), "conv_head"],
            marks=pytest.mark.slow,
        ),
        pytest.param(
            "mobilenetv3_small_050", ["conv_stem", *(f"blocks.{i}" for i in range(6))], marks=pytest.mark.slow
        ),
        pytest.param(
            "swin_tiny_patch4_window7_224", ["patch_embed", *(f"layers.{i}" for i in range(4))], marks=pytest.mark.slow
        ),
        pytest.param("convnext_atto", ["stem", *(f"stages.{i}" for i in range(4))], marks=pytest.mark.slow),
        pytest.param("regnety_002", ["stem", "s1", "s2", "s3", "s4"], marks=pytest.mark.slow),
        pytest.param("repvgg_a0", ["stem", *(f"stages.{i}" for i in range(4))], marks=pytest.mark.slow),
    ],
)
def test_a_model_without_zones_is_looked_at_by_its_stages(name: str, chosen: list[str]) -> None:
    walked, names = layer_table(name, ModelConfig(source="any"))
    layers = walked.layers
    assert list(names) == chosen
    assert {layer.zone for layer in layers} == {""}


def test_many_stages_are_thinned_and_features_alone_are_taken() -> None:
    deep = nn.Sequential(*(nn.Conv2d(3, 3, 1) for _ in range(50)))
    assert stages(deep, walk(deep, torch.zeros(2, 3, 2, 2)).layers) == tuple(str(i) for i in range(2, 50, 3))
    flat = nn.Sequential(nn.Flatten(), nn.Linear(12, 5), nn.ReLU(), nn.Linear(5, 2))
    assert stages(flat, walk(flat, torch.zeros(2, 3, 2, 2)).layers) == ("1", "3")


def test_a_loaded_model_is_frozen_and_in_eval_mode() -> None:
    loaded = load("patternnet", ModelConfig(source="patternnet", weights="none", mean=[0.5] * 3, std=[0.5] * 3))
    assert not any(m.training for m in loaded.model.modules())
    assert not any(p.requires_grad for p in loaded.model.parameters())
    assert loaded.model.conv2.conv.weight.is_contiguous(memory_format=torch.channels_last)
    assert isinstance(loaded.model.conv1.norm, nn.BatchNorm2d)
    colour = torch.tensor([0.0, 0.5, 1.0]).reshape(1, 3, 1, 1)
    assert loaded.preprocess(colour).flatten().tolist() == [-1, 0, 1]


def test_a_file_names_the_classes_and_nothing_that_reaches_a_pixel(tmp_path: Path) -> None:
    file = tmp_path / "classes.txt"
    file.write_text("\n".join(f"kind {number}" for number in range(16)))
    config = ModelConfig(source="patternnet", weights="none")
    own, renamed = make_card("p", config), make_card("p", replace(config, classes=str(file)))
    assert renamed.layers[-1].classes == tuple(f"kind {number}" for number in range(16))
    assert (renamed.digest, renamed.provenance) == (own.digest, own.provenance)


def test_names_for_what_has_no_classes_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "headless_nets.py").write_text(
        "from torch import nn\ndef conv(): return nn.Sequential(nn.Conv2d(3, 4, 3))\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    config = ModelConfig(source="custom", factory="headless_nets:conv", classes="names.txt")
    with pytest.raises(ConfigError, match=r"models\.own\.classes=names\.txt: this model is no classifier"):
        make_card("own", config)
