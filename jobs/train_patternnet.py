"""Train PatternNet on freshly drawn pictures and write its weights as safetensors.

The same seed on the same machine with the same number of threads gives the same bytes. A third of the time goes into
fresh memory; with glibc, MALLOC_MMAP_THRESHOLD_=4000000000 MALLOC_TRIM_THRESHOLD_=4000000000 in front, keep it.
"""

import argparse
import os
import time
from collections.abc import Sequence
from pathlib import Path

import torch
from jaxtyping import Float
from safetensors.torch import save
from torch import Generator, Tensor
from torch.nn.functional import cross_entropy

from atlas.zoo.drawings import sample
from atlas.zoo.patternnet import MEAN, STD, PatternNet, patternnet

SIZES = (48, 56, 64, 80)  # pixels, one per step: images of features grow while they are made
HELD_OUT = 2**31  # added to the seed: the stream of pictures that the net is tested on
PEAK = 5e-3  # the highest learning rate of the cycle


def normalised(pictures: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b 3 h w"]:
    """The net's input, laid out with channels last, which convolves faster on CPUs."""
    normal = (pictures - torch.tensor(MEAN)[:, None, None]) / torch.tensor(STD)[:, None, None]
    return normal.contiguous(memory_format=torch.channels_last)


def train(net: PatternNet, seed: int, steps: int, batch: int) -> list[float]:
    """Train in place; the loss of every step."""
    generator = Generator().manual_seed(seed)
    optimizer = torch.optim.AdamW(net.parameters(), lr=PEAK, weight_decay=0.05)
    cycle = torch.optim.lr_scheduler.OneCycleLR(optimizer, PEAK, total_steps=steps)
    losses, start = [], time.perf_counter()
    net.train()
    for step in range(1, steps + 1):
        size = SIZES[int(torch.randint(len(SIZES), (), generator=generator))]
        pictures, labels = sample(batch, generator, size)
        loss = cross_entropy(net(normalised(pictures)), labels, label_smoothing=0.05)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        cycle.step()
        losses.append(loss.item())
        if step % 50 == 0 or step == steps:
            print(f"step {step}/{steps}  loss {loss.item():.4f}  {time.perf_counter() - start:.0f} s", flush=True)
    return losses


@torch.no_grad()
def accuracy(net: PatternNet, seed: int, count: int, size: int = 64) -> float:
    """Share of `count` pictures, drawn from this seed, that the net names rightly."""
    generator, right = Generator().manual_seed(seed), 0
    net.eval()
    for first in range(0, count, 100):
        pictures, labels = sample(min(100, count - first), generator, size)
        right += int((net(normalised(pictures)).argmax(1) == labels).sum())
    return right / count


def write(net: PatternNet, out: Path) -> None:
    """Safetensors under a temporary name first: a broken run leaves no half file."""
    part = out.with_name(f"{out.name}.{os.getpid()}.part")
    part.write_bytes(save(net.state_dict(), metadata={"format": "pt"}))
    os.replace(part, out)


def main(argv: Sequence[str] | None = None) -> list[float]:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=700)
    parser.add_argument("--batch", type=int, default=96, help="pictures per step")
    parser.add_argument("--held-out", type=int, default=2000, help="fresh pictures to test on")
    parser.add_argument("--out", type=Path, required=True, help="the .safetensors file to write")
    args = parser.parse_args(argv)
    torch.manual_seed(args.seed)
    net = patternnet()
    losses = train(net, args.seed, args.steps, args.batch)
    write(net, args.out)
    print(f"held-out accuracy {accuracy(net, args.seed + HELD_OUT, args.held_out):.4f}  {args.out}")
    return losses


if __name__ == "__main__":
    main()
