"""What only a GPU can show; docs/gpu.md says which of it has been run."""

import pytest
import torch

from atlas.config.compose import compose_model
from atlas.config.recipe_files import read_recipe
from atlas.engine.pinned import make_repeatable
from atlas.optvis.make import Canvas, make_images
from atlas.optvis.objectives import channel
from atlas.sweep.recipe_fit import fit_recipe
from atlas.zoo.load import load

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_an_image_has_the_same_bytes_at_another_place_of_its_batch(precision: str) -> None:
    make_repeatable("cuda")
    loaded = load("patternnet", compose_model("patternnet"), "cuda")
    forward = loaded.cut(["conv5"], folded=True)
    # without views, whose gradient CUDA adds up in no fixed order
    recipe = fit_recipe(read_recipe("quick", precision=precision), "patternnet", input_size=64, device="cuda")

    def images(numbers: list[int]) -> torch.Tensor:
        objective = channel("conv5", torch.tensor(numbers, device="cuda"))
        canvas = Canvas(loaded.scale, loaded.device)
        return make_images(forward, objective, recipe, seeds=numbers, canvas=canvas, fixed=True).images

    numbers = list(range(8))
    first = images(numbers)
    assert torch.equal(images(numbers[::-1]).flip(0), first)
    assert torch.equal(images([0, 1, *range(20, 26)])[:2], first[:2])
    assert forward.traced
