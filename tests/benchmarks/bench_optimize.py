"""How fast images are made, as ratios against the sources' naive loop in the same run: `make bench`."""

from time import perf_counter

import torch
from references import naive_octaves

import atlas
from atlas.config.compose import compose_model
from atlas.zoo.load import load
from atlas.zoo.patternnet import MEAN, STD

OCTAVES = [(64, 6, (0.4, 0.3), (2.4, 0.8)), (73, 6, (0.3, 0.2), (1.5, 0.4)), (81, 6, (0.2, 0.1), (1.1, 0.3))]


def main() -> None:
    torch.set_num_threads(1)
    config = compose_model("patternnet")
    channels = list(range(32))
    start = 0.5 + 0.1 * torch.rand(len(channels), 3, 64, 64)
    octaves = [{"size": s, "steps": n, "lr": lr, "sigma": sigma} for s, n, lr, sigma in OCTAVES]
    ratios = []
    for _ in range(5):
        net = load("patternnet", config).model.to(memory_format=torch.contiguous_format).requires_grad_(True)
        began = perf_counter()
        for place, channel in enumerate(channels):
            naive_octaves(net, "conv3", start[place : place + 1], channel, metric="l1", octaves=OCTAVES)
        naive = perf_counter() - began
        net = load("patternnet", config).model
        began = perf_counter()
        atlas.visualize(net, "conv3", channels, octaves=octaves, mean=MEAN, std=STD)
        ratios.append(naive / (perf_counter() - began))
        print(f"one image at a time, whole model: {naive:.2f} s; batched and truncated: {ratios[-1]:.2f} times as fast")
    steps = sum(octave[1] for octave in OCTAVES)
    print(f"median {sorted(ratios)[2]:.2f} (PatternNet conv3, {len(channels)} images, {steps} steps, one thread)")


if __name__ == "__main__":
    main()
