"""The cut graph gives what hooks give: to the bit, or to rounding where batch norms are folded; or it is not used."""

from collections.abc import Callable, Sequence

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from atlas.config.compose import compose_model
from atlas.config.schema import ModelConfig
from atlas.optvis.rescue import OpenReLUs
from atlas.zoo import cut as zoo_cut
from atlas.zoo.cut import CutForward, FusedWay
from atlas.zoo.fold import fold_batch_norms
from atlas.zoo.forward import Forward
from atlas.zoo.layers import walk
from atlas.zoo.load import load
from atlas.zoo.trace import cut_graph
from tests.small_nets import Tokens, images, kinked, seeded

ROUNDING = 1e-5  # of a layer's values, which are of size 1


def results(forward: Callable, pictures: Tensor) -> tuple[dict[str, Tensor], Tensor]:
    """Maps, and the gradient of their squares."""
    leaf = pictures.clone().requires_grad_()
    maps = forward(leaf)
    (gradient,) = torch.autograd.grad(sum(values.square().sum() for values in maps.values()), leaf)
    return maps, gradient


def compare(model: nn.Module, layers: Sequence[str], pictures: Tensor, *, hooked: bool = False) -> None:
    """Cut against hooked, twice: unfolded to the bit, folded to rounding; hooked: neither is traced."""
    wanted, gradient = results(Forward(model, layers), pictures)
    for folded in (False, True):
        cut = CutForward(Forward(model, layers), folded=folded)
        cut(pictures)  # the check is over
        maps, own_gradient = results(cut, pictures)
        assert cut.traced is not hooked
        assert list(maps) == list(layers)
        for layer in layers:
            bound = ROUNDING * wanted[layer].abs().max() if folded else 0
            assert (maps[layer] - wanted[layer]).abs().max() <= bound, (layer, folded)
        # a ReLU's unit that rounding turns off changes a gradient at its place
        away = (own_gradient - gradient).norm() / gradient.norm()
        assert away <= (1e-2 if folded else 0), folded


def unsettle(model: nn.Module) -> nn.Module:
    """Batch norms with statistics of their own, so that folding one wrongly would show."""
    draw = torch.Generator().manual_seed(3)
    for norm in (module for module in model.modules() if isinstance(module, nn.BatchNorm2d)):
        for values, low in ((norm.running_mean, -0.2), (norm.running_var, 0.6), (norm.weight, 0.8), (norm.bias, -0.1)):
            if values is not None:
                values.data = torch.rand(values.shape, generator=draw) * 0.4 + low
    return model.eval()


FAMILIES = [
    *("mobilenet_v3_small", "shufflenet_v2_x0_5", "squeezenet1_1"),
    *(
        pytest.param(name, marks=pytest.mark.slow)
        for name in (
            *("alexnet", "convnext_tiny", "deeplabv3_resnet50", "densenet121", "efficientnet_b0", "efficientnet_v2_s"),
            *("fcn_resnet50", "googlenet", "inception_v3", "lraspp_mobilenet_v3_large", "maxvit_t", "mnasnet0_5"),
            *("mobilenet_v2", "regnet_x_400mf", "regnet_y_400mf", "resnet18", "resnext50_32x4d", "swin_t", "swin_v2_t"),
            *("vgg11_bn", "vit_b_16", "wide_resnet50_2"),
        )
    ),
]


@pytest.mark.parametrize("name", FAMILIES)
def test_every_torchvision_family_traces_and_is_the_same(name: str) -> None:
    loaded = load(name, ModelConfig(source="torchvision", weights="none"))
    model = unsettle(loaded.model)
    size = loaded.input_size if "swin" in name or "vi" in name or "inception" in name else 96
    pictures = torch.rand(2, 3, size, size, generator=torch.Generator().manual_seed(0))
    names = [layer.name for layer in walk(model, pictures).layers]
    chosen = [names[len(names) * part // 10] for part in (2, 4, 7)]
    compare(model, chosen, pictures)


@pytest.mark.parametrize(
    ("name", "layers"), [("patternnet", ["conv5"]), ("efficientnet_lite0", ["blocks.3.2", "blocks.5.3"])]
)
def test_the_embedded_networks_at_other_sizes_and_batches(name: str, layers: list[str]) -> None:
    loaded = load(name, compose_model(name))
    cut = loaded.cut(layers, folded=True)
    for count, size in ((2, 64), (1, 80), (3, 64)):
        pictures = images(count, size)
        wanted, maps = loaded.forward(layers)(pictures), cut(pictures)
        for layer in layers:
            assert (maps[layer] - wanted[layer]).abs().max() <= 10 * ROUNDING * wanted[layer].abs().max()
    assert cut.traced
    norms = [module for module in cut.graphs[0].modules() if isinstance(module, nn.BatchNorm2d)]
    assert not norms, "every one stands between a convolution and what follows"
    compare(loaded.model, layers, images(2, 64))


def test_layers_that_are_written_over_and_wanted_norms_and_convolutions() -> None:
    net, pictures = kinked(), images(2, 24)
    for layers in (["6"], ["0", "3"], ["1", "4", "6"], ["4", "0", "5"], ["2"], ["11"]):
        compare(net, layers, pictures)


def test_a_norm_is_folded_only_where_nobody_sees_what_it_takes() -> None:
    net = kinked()
    for layers, kept in ((["5"], 0), (["0", "5"], 1), (["0", "3", "6"], 2), (["4"], 0), (["1", "5"], 0)):
        folded = fold_batch_norms(cut_graph(net, {(layer, 1): layer for layer in layers}))
        norms = [
            node for node in folded.graph.nodes if node.op == "call_module" and node.target in ("model.1", "model.4")
        ]
        assert len(norms) == kept, layers


class Repeating(nn.Module):
    """One ReLU and one convolution, called again and again; a branch that leads nowhere, and a norm called as a function."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm, self.relu = nn.Conv2d(3, 3, 3, padding=1), nn.BatchNorm2d(3), nn.ReLU(inplace=True)
        self.idle = nn.Conv2d(3, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        F.relu(self.idle(x), inplace=True)
        x = self.relu(self.norm(self.conv(x)))
        own = self.norm.running_mean, self.norm.running_var, self.norm.weight, self.norm.bias
        y = self.relu(F.batch_norm(self.conv(x), *own))
        y = y + x
        F.relu(y, inplace=True)
        return self.conv(y)


def test_repeated_calls_and_shared_convolutions() -> None:
    net, pictures = unsettle(seeded(Repeating)), images(2, 12)
    for layers in (["relu"], ["relu#2"], ["conv#2", "relu"], ["conv#3"], ["norm", "conv#3", "conv"]):
        compare(net, layers, pictures)
    folded = fold_batch_norms(cut_graph(net, {("conv", 3): "conv#3"}))
    operations = [str(node.target) for node in folded.graph.nodes]
    assert sum("folded" in operation for operation in operations) == 2
    assert "model.idle" not in operations


def test_tokens_and_what_lies_within_a_layer_of_torch() -> None:
    net = seeded(Tokens)
    for layers in (["block"], ["patches", "head"]):
        compare(net, layers, images(2, 32))
    inside = CutForward(Forward(net, ["block.linear1"]), folded=True)
    assert torch.equal(
        inside(images(2, 32))["block.linear1"], Forward(net, ["block.linear1"])(images(2, 32))["block.linear1"]
    )


class Padded(nn.Conv2d):
    """Works out its padding in Python, as TensorFlow's convolutions do: it is called as a whole."""

    def forward(self, x: Tensor) -> Tensor:
        short = int(x.shape[-1]) % 3
        return super().forward(F.pad(x, (0, short, 0, short)))


def test_a_module_that_does_not_trace_is_called_whole() -> None:
    net = seeded(lambda: nn.Sequential(Padded(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 4, 3)))
    unsettle(net)
    for size in (16, 17, 18):
        compare(net, ["3"], images(2, size))


class Standardized(nn.Conv2d):
    """Its weights are not those it computes with, so that folding into them is wrong."""

    def forward(self, x: Tensor) -> Tensor:
        weight = self.weight / self.weight.std((1, 2, 3), keepdim=True)
        return F.conv2d(x, weight, self.bias)


def test_folding_into_weights_that_mean_something_else_is_noticed() -> None:
    class Opaque(Standardized):
        def forward(self, x: Tensor) -> Tensor:
            int(x.shape[0])
            return super().forward(x)

    net = unsettle(seeded(lambda: nn.Sequential(Opaque(3, 4, 3), nn.BatchNorm2d(4), nn.Conv2d(4, 4, 3))))
    compare(net, ["2"], images(2, 12))


class Deciding(nn.Module):
    """Asks what it is shown which way to go; or does what no graph holds."""

    def __init__(self, way: str) -> None:
        super().__init__()
        self.way, self.calls, self.first, self.last = way, 0, nn.Conv2d(3, 4, 3), nn.Conv2d(4, 4, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x)
        if self.way == "values" and x.mean() > 100:
            return x
        if self.way == "batch" and len(x) > 100:
            return x
        if self.way == "count":
            self.calls += 1
            x = x * (1.0 if self.calls == 1 else 2.0)
        if self.way == "no gradient":
            with torch.no_grad():
                return self.last(x) + 0 * x.sum()
        return self.last(x)


@pytest.mark.parametrize("way", ["values", "batch", "count"])
def test_a_network_that_looks_at_its_input_is_run_by_hooks(way: str) -> None:
    net = seeded(lambda: Deciding(way))
    if way != "count":
        return compare(net, ["last"], images(2, 12), hooked=True)
    net.calls = 1
    cut = CutForward(Forward(net, ["last"]), folded=True)
    assert torch.equal(cut(images(2, 12))["last"], Forward(net, ["last"])(images(2, 12))["last"])
    return None


def test_a_backward_pass_of_ones_own_is_asked_for_nothing_but_what_is_wanted() -> None:
    asked: list[Tensor] = []

    class Own(torch.autograd.Function):
        @staticmethod
        def forward(ctx, maps):
            return maps.clone()

        @staticmethod
        def backward(ctx, gradient):
            asked.append(gradient)
            return gradient

    class Layer(nn.Module):
        def forward(self, maps: Tensor) -> Tensor:
            return Own.apply(maps)

    cut = CutForward(Forward(nn.Sequential(nn.Conv2d(3, 4, 3), Layer()).eval(), ["1"]), folded=True)
    pictures = images(2, 12).requires_grad_()
    maps = cut(pictures)["1"]
    assert (asked, cut.traced) == ([], False)
    maps[:, 1].sum().backward()
    assert len(asked) == 1


def test_a_path_without_gradients_stays_without() -> None:
    net = seeded(lambda: Deciding("no gradient"))
    cut = CutForward(Forward(net, ["last"]), folded=True)
    assert not cut(images(2, 12).requires_grad_())["last"].requires_grad
    assert not cut.traced


def test_the_way_does_not_depend_on_what_was_shown_first() -> None:
    net = seeded(lambda: Deciding("no gradient"))
    cut = CutForward(Forward(net, ["last"]), folded=True)
    with torch.no_grad():
        cut(images(2, 12))
    assert not cut(images(2, 12).requires_grad_())["last"].requires_grad
    net = kinked()
    cut = CutForward(Forward(net, ["6"]), folded=True)
    cut(torch.full((2, 3, 24, 24), torch.nan))
    assert cut.traced


def test_a_check_for_which_there_is_no_memory_is_no_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    net, shortages = kinked(), [torch.OutOfMemoryError("too much")]
    graph = cut_graph(net, {("6", 1): "6"})
    whole = graph.forward

    def short(pictures: Tensor) -> object:
        if shortages:
            raise shortages.pop()
        return whole(pictures)

    monkeypatch.setattr(graph, "forward", short)
    monkeypatch.setattr(zoo_cut, "cut_graph", lambda *_: graph)
    cut = CutForward(Forward(net, ["6"]), folded=False)
    with pytest.raises(torch.OutOfMemoryError):
        cut(images(2, 24))
    cut(images(2, 24))
    assert cut.traced


def test_hooks_of_ones_own_are_heard() -> None:
    net = kinked()
    with net[3].register_forward_hook(lambda module, inputs, output: output * 2):
        compare(net, ["6"], images(2, 24), hooked=True)


def test_the_network_stays_as_it_is() -> None:
    net = kinked().requires_grad_(True)
    state = {name: value.clone() for name, value in net.state_dict().items()}
    attributes = {name: set(vars(module)) for name, module in net.named_modules()}
    cut = CutForward(Forward(net, ["6"]), folded=True)
    results(cut, images(2, 24))
    assert cut.traced
    assert all(torch.equal(value, state[name]) for name, value in net.state_dict().items())
    assert {name: set(vars(module)) for name, module in net.named_modules()} == attributes
    assert all(values.requires_grad and values.grad is None for values in net.parameters())


def test_relus_open_in_the_graph_as_in_the_network() -> None:
    net, pictures = kinked(), images(3, 24)
    cut, hooked = CutForward(Forward(net, ["6"]), folded=False), Forward(net, ["6"])
    cut(pictures)
    with OpenReLUs():
        assert torch.equal(results(cut, pictures)[1], results(hooked, pictures)[1])


def test_errors_are_those_of_the_forward_pass() -> None:
    with pytest.raises(RuntimeError):
        CutForward(Forward(kinked(), ["6"]), folded=True)(torch.zeros(1, 3, 2, 2))
    with pytest.raises(ValueError, match="not a map for each of 2 images"):
        CutForward(Forward(nn.Sequential(nn.Flatten(0)), ["0"]), folded=True)(images(2, 8))


@pytest.mark.slow
# the compiler's own
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("dtype", [None, torch.bfloat16])
def test_a_compiled_graph_is_the_same_but_for_rounding(dtype: torch.dtype | None) -> None:
    net, pictures = unsettle(kinked()), images(2, 24)
    plain, compiled = (CutForward(Forward(net, ["5"]), folded=True, compiled=compiled) for compiled in (False, True))
    with torch.autocast("cpu", dtype=dtype, enabled=dtype is not None):
        (wanted, gradient), (maps, other) = (results(forward, pictures) for forward in (plain, compiled))
    eps = torch.finfo(dtype or torch.float32).eps
    assert any(isinstance(way, FusedWay) for way in compiled._ways.values())
    assert (maps["5"] - wanted["5"]).norm() <= 4 * eps * wanted["5"].norm()
    assert (other - gradient).norm() <= eps**0.5 * gradient.norm()


def test_dead_images_are_rescued_and_the_last_ones_read_by_the_graph_that_is_not_compiled() -> None:
    way = FusedWay(lambda images: {"1": images}, lambda images: {"1": -images})
    pictures = images(1, 4)
    assert torch.equal(way(pictures)["1"], pictures)
    with OpenReLUs():
        assert torch.equal(way(pictures)["1"], -pictures)
    with torch.no_grad():
        assert torch.equal(way(pictures)["1"], -pictures)


def test_a_graph_that_the_compiler_does_not_take_is_used_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(graph: nn.Module, **options: bool) -> None:
        raise RuntimeError("no compiler here")

    monkeypatch.setattr(torch, "compile", refuse)
    net, pictures = kinked(), images(2, 24)
    plain, compiled = (CutForward(Forward(net, ["5"]), folded=True, compiled=compiled) for compiled in (False, True))
    assert torch.equal(plain(pictures)["5"], compiled(pictures)["5"])
    assert compiled.traced
