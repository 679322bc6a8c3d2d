"""A picture reaches a model exactly as the model's own source would bring it there."""

import pytest
import skimage.data
import timm
import torch
from PIL import Image
from sklearn.datasets import load_sample_image
from torch import Tensor

from atlas.config.schema import ModelConfig
from atlas.zoo.architecture import Preprocessing
from atlas.zoo.eval_transform import LONGEST, eval_transform
from atlas.zoo.sources import architecture
from atlas.zoo.torchvision_ops import torchvision

PICTURES = {
    "china": lambda: Image.fromarray(load_sample_image("china.jpg")),
    "tall": lambda: Image.fromarray(load_sample_image("flower.jpg")).rotate(90, expand=True),
    "astronaut": lambda: Image.fromarray(skimage.data.astronaut()),
    "tiny": lambda: Image.fromarray(skimage.data.camera()).convert("RGB").resize((9, 5)),
    "long": lambda: Image.fromarray(skimage.data.astronaut()).resize((700, 10)),
}


def normalised(picture: Image.Image, preprocessing: Preprocessing) -> Tensor:
    mean, std = (torch.tensor(values)[:, None, None] for values in (preprocessing.mean, preprocessing.std))
    return (eval_transform(picture, preprocessing) - mean) / std


@pytest.mark.parametrize("picture", PICTURES)
@pytest.mark.parametrize("name", ["googlenet", "resnet50", "vgg19", "inception_v3", "swin_t"])
def test_torchvision_sees_what_its_preset_makes(name: str, picture: str) -> None:
    image = PICTURES[picture]()
    preset = torchvision().models.get_model_weights(name).DEFAULT.transforms()
    preprocessing = architecture(name, ModelConfig(source="torchvision")).preprocessing
    assert torch.equal(normalised(image, preprocessing), preset(image))


@pytest.mark.parametrize("picture", PICTURES)
@pytest.mark.parametrize("name", ["resnet10t", "test_resnet", "resnet152d", "tf_efficientnetv2_b3.in21k_ft_in1k"])
def test_timm_sees_what_its_transform_makes(name: str, picture: str) -> None:
    image = PICTURES[picture]()
    config = timm.data.resolve_data_config(pretrained_cfg=timm.models.get_pretrained_cfg(name).to_dict())
    preprocessing = architecture(name, ModelConfig(source="timm")).preprocessing
    assert torch.equal(normalised(image, preprocessing), timm.data.create_transform(**config)(image))


def test_of_patternnet_nothing_is_cut_off_but_the_ends() -> None:
    preprocessing = architecture("patternnet", ModelConfig(source="patternnet")).preprocessing
    square = Image.fromarray(skimage.data.astronaut()).resize((64, 64))
    expected = torch.tensor(list(square.tobytes())).reshape(64, 64, 3).permute(2, 0, 1) / 255
    assert torch.equal(eval_transform(square, preprocessing), expected)


@pytest.mark.parametrize("size", [(1, 5 * LONGEST), (5 * LONGEST, 1), (2, 60_001)])
def test_an_extremely_long_picture_shows_its_middle_and_does_not_fill_the_memory(size: tuple[int, int]) -> None:
    picture = Image.linear_gradient("L").resize(size).convert("RGB")
    seen = eval_transform(picture, Preprocessing((0, 0, 0), (1, 1, 1), 224, 256, "bilinear"))
    assert seen.shape == (3, 224, 224)
    assert float((seen - seen.mean()).abs().max()) < 0.01 or size[1] == 1
