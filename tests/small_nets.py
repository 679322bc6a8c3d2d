"""Networks small enough to follow by hand, with random weights that do not depend on who asks first."""

import torch
from torch import Tensor, nn

from atlas.config.schema import CONSTANT, OctaveConfig, RecipeConfig
from atlas.optvis.metrics import metric_named
from atlas.optvis.optimize import Judge
from atlas.optvis.precision import Forward
from atlas.optvis.targets import target_objective
from atlas.records import Target
from atlas.zoo.torchvision_ops import torchvision


def seeded(build, seed: int = 0) -> nn.Module:
    """What `build()` returns, in eval mode, with weights drawn from `seed`."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return build().eval()


def smooth() -> nn.Sequential:
    """No kinks, so that rounding stays rounding; layers 0 to 4."""
    return seeded(
        lambda: nn.Sequential(
            nn.Conv2d(3, 6, 3, padding=1), nn.Tanh(), nn.Conv2d(6, 8, 3, stride=2), nn.Softplus(), nn.Conv2d(8, 5, 3)
        )
    )


def kinked() -> nn.Sequential:
    """ReLUs that write in place, batch norms with statistics of their own; convolutions are layers 0, 3 and 6."""
    net = seeded(
        lambda: nn.Sequential(
            *(nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(inplace=True)),
            *(nn.Conv2d(8, 8, 3, stride=2), nn.BatchNorm2d(8), nn.ReLU(inplace=True)),
            *(nn.Conv2d(8, 6, 3), nn.BatchNorm2d(6), nn.ReLU(inplace=True)),
            *(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 4)),
        )
    )
    draw = torch.Generator().manual_seed(1)
    for norm in (module for module in net if isinstance(module, nn.BatchNorm2d)):
        norm.running_mean.copy_(torch.rand(norm.num_features, generator=draw) - 0.5)
        norm.running_var.copy_(torch.rand(norm.num_features, generator=draw) + 0.5)
    return net


class Tokens(nn.Module):
    """A transformer of patches of 8 pixels; `block` gives tokens (b, t, 16), `head` features (b, 4)."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, 16, 8, stride=8)
        self.block = nn.TransformerEncoderLayer(16, 2, 32, batch_first=True)
        self.head = nn.Linear(16, 4)

    def forward(self, images: Tensor) -> Tensor:
        return self.head(self.block(self.patches(images).flatten(2).transpose(1, 2)).mean(1))


def images(count: int, size: int, seed: int = 0) -> Tensor:
    """Noise in [0.5, 0.6), as the sources begin."""
    return torch.rand(count, 3, size, size, generator=torch.Generator().manual_seed(seed)) * 0.1 + 0.5


def recipe(*octaves: tuple[int, int], **changes) -> RecipeConfig:
    """A recipe of octaves (size, steps), with the sources' first rates and no blur where nothing else is said."""
    lr, sigma = changes.pop("lr", [0.4, 0.3]), changes.pop("sigma", None)
    stretches = [OctaveConfig(size=size, steps=steps, lr=lr, sigma=sigma) for size, steps in octaves]
    return RecipeConfig(name="test", start=[0.5, 0.6], octaves=stretches, **changes)


def small_vit() -> nn.Module:
    """torchvision's own transformer, for 64 pixels: a class token and 16 patches, 32 numbers each."""
    return torchvision().models.VisionTransformer(
        image_size=64, patch_size=16, num_layers=2, num_heads=2, hidden_dim=32, mlp_dim=64, num_classes=5
    )


def judging(
    forward: Forward,
    layer: str,
    channels: Tensor,
    *,
    target: Target = Target(),
    metric: str = "l1",
    constant: float = CONSTANT,
) -> Judge:
    """What the optimiser sees of a network: the target's objective, of what its forward pass gives."""
    objective = target_objective(target, layer, channels, metric_named(metric, constant))
    return lambda pictures, which: objective.read(forward(pictures), which)
