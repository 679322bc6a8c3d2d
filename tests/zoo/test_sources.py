"""Architectures: built without touching the global random state, with their own preprocessing, or refused clearly."""

import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from atlas.config.mistakes import ConfigError
from atlas.config.schema import ModelConfig
from atlas.zoo.sources import architecture
from atlas.zoo.torchvision_ops import torchvision


def _model(name: str, **settings: object) -> nn.Module:
    return architecture(name, ModelConfig(**settings)).bare()


def test_random_weights_come_from_the_seed_and_leave_the_global_state_alone() -> None:
    before = torch.get_rng_state()
    first, again, other = (_model("patternnet", source="patternnet", seed=s) for s in (1, 1, 2))
    assert torch.equal(before, torch.get_rng_state())
    assert torch.equal(first.conv1.conv.weight, again.conv1.conv.weight)
    assert not torch.equal(first.conv1.conv.weight, other.conv1.conv.weight)


@pytest.mark.parametrize(
    ("name", "source", "size", "mean"),
    [
        ("resnet18", "torchvision", 224, 0.485),
        ("inception_v3", "torchvision", 299, 0.485),
        ("efficientnet_v2_l", "torchvision", 480, 0.5),
        ("fcn_resnet50", "torchvision", 520, 0.485),
        ("resnet152d", "timm", 256, 0.485),
        ("vit_tiny_patch16_224", "timm", 224, 0.5),
        ("patternnet", "patternnet", 64, 0.5),
    ],
)
def test_preprocessing_is_what_the_source_says(name: str, source: str, size: int, mean: float) -> None:
    known = architecture(name, ModelConfig(source=source)).preprocessing
    assert (known.input_size, known.mean[0]) == (size, mean)


def test_the_config_overrides_preprocessing() -> None:
    config = ModelConfig(source="patternnet", mean=[0, 0.1, 0.2], std=[1, 2, 3], input_size=96)
    known = architecture("patternnet", config).preprocessing
    assert known == ((0, 0.1, 0.2), (1, 2, 3), 96, 96, "bilinear", False)
    known = architecture("patternnet", ModelConfig(source="patternnet", mean=0.5, std=2)).preprocessing
    assert known[:2] == ((0.5,), (2.0,))
    config = ModelConfig(source="torchvision", input_size=112)
    assert architecture("resnet18", config).preprocessing[2:5] == (112, 128, "bilinear")


@pytest.mark.parametrize("mean", [[], "nope", [0.1, "x", 0.2], True])
def test_wrong_preprocessing_is_told_all_at_once(mean: object) -> None:
    config = ModelConfig(source="patternnet", mean=mean, std=[1, 0, 1], input_size=0)
    with pytest.raises(ConfigError) as caught:
        architecture("mine", config)
    assert [m.partition("=")[0] for m in caught.value.mistakes] == [
        "models.mine.mean",
        "models.mine.std",
        "models.mine.input_size",
    ]


@pytest.mark.parametrize("name", ["googlenet", "inception_v3"])
def test_google_models_always_renormalise_and_have_no_auxiliary_heads(name: str) -> None:
    with torch.device("meta"):
        model = _model(name, source="torchvision")
    assert model.transform_input
    assert not any(part.startswith(("aux", "Aux")) for part, _ in model.named_modules())


@pytest.mark.parametrize("name", ["resnet152d", "swin_tiny_patch4_window7_224", "vit_b_16", "fcn_resnet50"])
def test_any_source_builds_on_the_meta_device(name: str) -> None:
    with torch.device("meta"):
        assert {p.device.type for p in _model(name, source="any").parameters()} == {"meta"}


def test_a_tag_names_the_weights_and_any_finds_the_source_by_it() -> None:
    assert architecture("resnet18.IMAGENET1K_V1", ModelConfig(source="any")).source == "torchvision"
    assert architecture("resnet18.a1_in1k", ModelConfig(source="any")).source == "timm"
    with pytest.raises(ConfigError, match="IMAGENET1K_V1"):
        architecture("mine", ModelConfig(source="torchvision", entry="resnet18.IMAGENET1K_V9"))
    with pytest.raises(ConfigError, match=r"resnet18\.a1_in1k"):
        architecture("mine", ModelConfig(source="timm", entry="resnet18.a1_in2k"))


@pytest.mark.parametrize(
    ("name", "source", "near"),
    [
        ("resnet51", "torchvision", "resnet50"),
        ("resnet152dd", "timm", "resnet152d"),
        ("patternet", "any", "patternnet"),
    ],
)
def test_an_unknown_model_is_refused_with_the_nearest(name: str, source: str, near: str) -> None:
    with pytest.raises(ConfigError, match=rf"models\.{name}: no model '{name}' in .*did you mean.* {near}\b"):
        architecture(name, ModelConfig(source=source))


def test_an_unknown_source_is_refused_with_the_allowed_ones() -> None:
    with pytest.raises(ConfigError, match=r"models\.mine\.source='tim': did you mean timm"):
        architecture("mine", ModelConfig(source="tim"))


def test_arguments_that_the_constructor_does_not_take_are_a_mistake_in_kwargs() -> None:
    with pytest.raises(ConfigError, match=r"models\.resnet18\.kwargs=\{'depht': 3\}.*depht"):
        _model("resnet18", source="torchvision", kwargs={"depht": 3})


def test_a_missing_timm_says_how_to_get_it_only_where_it_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "timm", None)
    for config in (ModelConfig(source="timm"), ModelConfig(source="any")):
        with pytest.raises(ConfigError, match=r"pip install 'feature-atlas\[timm\]'"):
            architecture("resnet152d", config)
    assert architecture("resnet18", ModelConfig(source="any")).source == "torchvision"


FACTORY = """
import torch
from torch import nn

def tiny(width=4):
    return nn.Sequential(nn.Conv2d(3, width, 3), nn.ReLU())

def number():
    return 3

def broken():
    raise OSError("no luck")

LIMIT = 3
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A user's module in the working directory, which is not on the path."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.chdir(tmp_path)
    name = f"models_of_{tmp_path.name}".replace("-", "_")
    Path(f"{name}.py").write_text(FACTORY)
    Path(f"{name}_needy.py").write_text("import no_such_package_here")
    return name


def test_a_factory_gives_the_model(module: str) -> None:
    model = _model("custom", source="custom", factory=f"{module}:tiny", kwargs={"width": 7})
    assert model[0].out_channels == 7


@pytest.mark.parametrize(
    ("factory", "what"),
    [
        (None, "write package.module:function"),
        ("MODULE.tiny", "write package.module:function"),
        ("no_such_module_here:tiny", "no module no_such_module_here"),
        ("MODULE_needy:tiny", "importing .*_needy failed: .*no_such_package_here"),
        ("MODULE:tinny", "has no tinny; did you mean tiny"),
        ("MODULE:LIMIT", "LIMIT is no function, but int"),
        ("MODULE:number", "must return a torch.nn.Module, and returned int"),
        ("MODULE:broken", "it raised OSError: no luck"),
    ],
)
def test_a_wrong_factory_is_told_with_its_place(module: str, factory: str | None, what: str) -> None:
    factory = factory and factory.replace("MODULE", module)
    with pytest.raises(ConfigError, match=rf"^models\.custom\.factory={factory}: .*{what}"):
        _model("custom", source="custom", factory=factory)


def test_torchvision_agrees_with_the_constants_of_models_without_weights() -> None:
    transforms = torchvision().models.get_weight("ResNet18_Weights.DEFAULT").transforms()
    known = architecture("custom", ModelConfig(source="custom", factory="a:b")).preprocessing
    assert (list(known.mean), list(known.std)) == (transforms.mean, transforms.std)
