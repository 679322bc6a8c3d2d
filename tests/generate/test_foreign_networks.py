"""`atlas.visualize` on other people's networks: under any state of torch, of any dtype, channels and kind."""

import warnings
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

import atlas
from atlas.config.recipe_files import read_recipe
from atlas.generate.visualization import Visualization
from atlas.optvis.gradients import NoGradient

pytestmark = pytest.mark.job

OCTAVES = [dict(size=24, steps=3, lr=(0.1, 0.1))]


def net(channels: int = 3) -> nn.Sequential:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Sequential(nn.Conv2d(channels, 8, 5, stride=2), nn.ReLU(inplace=True), nn.Conv2d(8, 8, 3))


def look(model: nn.Module, layer: str = "2", **changes) -> Visualization:
    return atlas.visualize(model, layer, [0, 1], octaves=OCTAVES, input_size=24, **changes)


@pytest.mark.parametrize(
    "state",
    [torch.inference_mode, torch.no_grad, lambda: torch.autocast("cpu", torch.bfloat16), lambda: torch.device("meta")],
    ids=["inference_mode", "no_grad", "autocast", "device"],
)
def test_the_callers_state_of_torch_changes_nothing(state: Callable) -> None:
    wanted, model = look(net()), net()
    with state():
        images = look(model).images
    assert torch.equal(images, wanted.images)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16])
def test_the_callers_default_dtype_changes_nothing_and_stays(dtype: torch.dtype) -> None:
    wanted, model = look(net()), net()
    torch.set_default_dtype(dtype)
    try:
        images = look(model).images
        assert torch.get_default_dtype() == dtype
    finally:
        torch.set_default_dtype(torch.float32)
    assert torch.equal(images, wanted.images)


def test_a_network_made_under_inference_mode_works_and_is_left_as_it_is() -> None:
    with torch.inference_mode():
        model = net()
    weight = model[0].weight
    assert look(model).status == ["ok", "ok"]
    assert model[0].weight is weight


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
@pytest.mark.parametrize("metric", ["l1", "linf"])
def test_our_own_arithmetic_is_float32_whatever_the_networks(dtype: torch.dtype, metric: str) -> None:
    v, wanted = look(net().to(dtype), metric=metric), look(net(), metric=metric)
    assert v.status == ["ok", "ok"]
    assert v.images.dtype == v.activations.dtype == v.losses.dtype == torch.float32
    assert (v.images - wanted.images).abs().mean() < 0.1


class Around(nn.Module):
    """A network within another."""

    def __init__(self) -> None:
        super().__init__()
        self.net, self.head = net(), nn.Linear(3, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x)


class Detached(Around):
    def forward(self, x: Tensor) -> Tensor:
        return self.net(x.detach())


class WithoutGradients(Around):
    @torch.no_grad()
    def forward(self, x: Tensor) -> Tensor:
        return self.net(x)


class InInference(Around):
    @torch.inference_mode()
    def forward(self, x: Tensor) -> Tensor:
        return self.net(x)


@pytest.mark.parametrize("kind", [Detached, WithoutGradients, InInference])
def test_a_path_without_gradients_is_told_and_is_no_dead_feature(kind: type[nn.Module]) -> None:
    with pytest.raises(NoGradient, match="no gradient leads back to the image"):
        look(kind(), "net.2")


class Swallows(Around):
    def forward(self, x: Tensor) -> Tensor:
        try:
            x = self.net(x)
        except:  # noqa: E722
            x = x.mean((2, 3))
        return self.head(x)


class Rewraps(Around):
    def forward(self, x: Tensor) -> Tensor:
        try:
            return self.net(x)
        except BaseException as error:
            raise RuntimeError("something went wrong") from error


@pytest.mark.parametrize("kind", [Swallows, Rewraps])
def test_what_was_reached_counts_whatever_the_network_does_with_exceptions(kind: type[nn.Module]) -> None:
    assert torch.equal(look(kind(), "net.2").images, look(Around(), "net.2").images)


def test_a_network_of_gray_pictures_makes_gray_ones() -> None:
    v = look(net(1), mean=[0.5], std=[0.2])
    assert v.images.shape == (2, 1, 24, 24)
    assert v.status == ["ok", "ok"]
    assert [picture.mode for picture in v.pil()] == ["L", "L"]
    assert "1 x" not in repr(v)


@pytest.mark.parametrize("name", ["fourier", "maco", "filter", "standard"])
def test_every_kind_of_image_can_be_gray(name: str) -> None:
    recipe = read_recipe(name)
    for octave in recipe.octaves:
        octave.steps, octave.size = 2, 32
    assert atlas.visualize(net(1), "2", 0, recipe=recipe, input_size=32).images.shape[1] == 1


@pytest.mark.parametrize("channels", [2, 10])
def test_other_channels_are_refused_by_their_number(channels: int) -> None:
    with pytest.raises(ValueError, match=rf"takes images of {channels} channels; those of 1 \(gray\) and of 3 \(RGB\)"):
        look(net(channels))


def test_one_mean_stands_for_all_channels_and_others_must_be_as_many() -> None:
    each = look(net(), mean=[0.5] * 3, std=[0.2] * 3).images
    for mean, std in (([0.5], [0.2]), (0.5, 0.2), ((0.5,), 0.2)):
        assert torch.equal(look(net(), mean=mean, std=std).images, each)
    with pytest.raises(ValueError, match=r"std=\[1, 1\]: 2 numbers for a model that takes 3 channels"):
        look(net(), std=[1, 1])
    with pytest.raises(ValueError, match=r"2 numbers for a model that takes 1 channel"):
        look(net(1), std=[1, 1])


def exported() -> nn.Module:
    return torch.export.export(net(), (torch.zeros(1, 3, 24, 24),)).module()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: torch.jit.trace(net(), torch.zeros(1, 3, 24, 24)), "is TorchScript, whose modules run unseen"),
        (lambda: net().to("meta"), "has weights on the meta device"),
        (exported, "cannot be used: .*eval"),
    ],
)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_what_cannot_be_looked_into_is_told_in_one_sentence(make: Callable, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        look(make())


class Trains(Around):
    def forward(self, x: Tensor) -> Tensor:
        self.train()
        return self.net(x)


def test_a_network_that_cannot_leave_train_mode_is_noted() -> None:
    with pytest.warns(UserWarning, match=r"Trains stays in train mode \(Trains and 5 more\)"):
        assert look(Trains(), "net.2").status == ["ok", "ok"]


class Twice(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.act = nn.Conv2d(3, 8, 3), nn.Conv2d(8, 6, 3), nn.Softplus()
        self.other = self.act

    def forward(self, x: Tensor) -> Tensor:
        return self.other(self.second(self.act(self.first(x))))


def test_calls_of_a_module_are_layers_and_its_other_names_are_told() -> None:
    assert (look(Twice(), "act").activations.shape, look(Twice(), "act#2").activations.shape) == ((2, 8), (2, 6))
    with pytest.raises(ValueError, match=r"'other' of Twice is another name of 'act'.*'act#2'"):
        look(Twice(), "other")
    with pytest.raises(RuntimeError, match="never reaches act#3"):
        look(Twice(), "act#3")
    rows = atlas.layers(Twice(), every=True, input_size=24).to_pylist()
    assert [(row["layer"], row["channels"], row["calls"], row["aliases"]) for row in rows] == [
        ("first", 8, 1, ""),
        ("act", 8, 2, "other"),
        ("second", 6, 1, ""),
    ]


def test_a_quantised_network_works_where_gradients_pass() -> None:
    parts = net(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 4)
    with warnings.catch_warnings(action="ignore"):
        model = torch.ao.quantization.quantize_dynamic(nn.Sequential(*parts).eval(), {nn.Linear}, dtype=torch.qint8)
        assert look(model, "0.2").status == ["ok", "ok"]
        with pytest.raises(NoGradient):
            look(model, "3")
