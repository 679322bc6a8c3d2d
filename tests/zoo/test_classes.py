"""Classes have names where the model's source tells them, and are found by number and by name."""

import json
from pathlib import Path

import pytest

from atlas.config.mistakes import ConfigError
from atlas.config.schema import ModelConfig
from atlas.zoo.classes import class_names, class_number
from atlas.zoo.drawings import CLASSES


@pytest.mark.parametrize(
    ("name", "source", "tabby"),
    [
        ("googlenet", "torchvision", "tabby"),
        ("resnet50.IMAGENET1K_V1", "any", "tabby"),
        ("test_resnet", "timm", "tabby, tabby cat"),
        ("resnet18.a1_in1k", "any", "tabby, tabby cat"),
    ],
)
def test_imagenets_classes_have_names(name: str, source: str, tabby: str) -> None:
    names = class_names(name, ModelConfig(source=source), 1000)
    assert names is not None and len(names) == 1000
    assert names[281] == tabby


def test_patternnets_classes_are_its_patterns() -> None:
    assert class_names("patternnet", ModelConfig(source="patternnet"), 16) == CLASSES


@pytest.mark.parametrize(
    ("name", "source", "count"),
    [
        ("resnet50", "torchvision", 10),  # a head of somebody's own
        ("vgg16.IMAGENET1K_FEATURES", "torchvision", 1000),
        ("test_resnet", "timm", 7),
        ("vit_base_patch16_clip_224.openai", "timm", 1000),  # published without a head
        ("custom", "custom", 1000),
    ],
)
def test_of_others_nothing_is_made_up(name: str, source: str, count: int) -> None:
    assert class_names(name, ModelConfig(source=source, factory="a:b"), count) is None


NAMES = ("tench, Tinca tinca", "Tabby, tabby cat", "crane", "crane", "maillot", "maillot, tank suit", "egg, oval")


@pytest.mark.parametrize(
    ("category", "number"),
    [
        (0, 0),
        ("6", 6),
        (" 3 ", 3),
        ("tench", 0),
        ("TENCH, tinca TINCA", 0),
        ("tabby cat", 1),
        ("maillot", 4),
        ("oval", 6),
    ],
)
def test_a_number_or_a_name_finds_its_class(category: int | str, number: int) -> None:
    assert class_number(category, NAMES, len(NAMES)) == number


@pytest.mark.parametrize(
    ("category", "names", "said"),
    [
        (7, NAMES, "category=7: there are 7 classes, 0 to 6"),
        (-1, NAMES, "category=-1: there are 7 classes, 0 to 6"),
        ("tabbi", NAMES, "category=tabbi: no such class; did you mean Tabby"),
        ("crane", NAMES, "category=crane: that is several classes; give the number of one: 2 (crane), 3 (crane)"),
        ("crane", None, "category=crane: these classes have no names; give a number, 0 to 6"),
    ],
)
def test_what_no_class_is_is_refused_with_what_is_allowed(
    category: int | str, names: tuple[str, ...] | None, said: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        class_number(category, names, 7)
    assert str(caught.value).startswith(said)


def test_a_file_of_names_goes_before_the_sources(tmp_path: Path) -> None:
    file = tmp_path / "classes.json"
    file.write_text(json.dumps([f"kind {number}" for number in range(10)]))
    config = ModelConfig(source="torchvision", classes=str(file))
    names = class_names("resnet50", config, 10)
    assert names is not None and names[9] == "kind 9"
    with pytest.raises(ConfigError, match="it names 10 classes, and the model has 1000"):
        class_names("resnet50", config, 1000)
