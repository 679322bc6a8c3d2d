"""How fast images are made: milliseconds of process time an image-step, against other libraries in the same run: `make bench`.

Each way runs in a process of its own, one at a time and in turns, with one thread; what counts is its best turn. A peer
whose environment is not there is left out.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path
from time import process_time

import torch
from contenders import NETWORKS, WAYS, network_of
from torch import Tensor

from atlas.zoo.layers import walk

ROOT = Path(__file__).parents[2]
PEERS = {"lucent": "torch", "torch-dreams": "torch", "xplique": "xplique"}  # way: its environment
QUIET = {"OMP_NUM_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "3", "TF_ENABLE_ONEDNN_OPTS": "1", "CUDA_VISIBLE_DEVICES": ""}
FLOP = 4  # of a multiply-add, forward and back to the input


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peers", type=Path, default=Path("build/bench"), help="folder of the environments")
    parser.add_argument("--networks", nargs="*", default=list(NETWORKS), choices=list(NETWORKS))
    parser.add_argument("--rounds", type=int, default=4)
    given = parser.parse_args()
    print(f"one thread, process time, best of {given.rounds} turns; convolutions reach {speed():.0f} GFLOP/s here\n")
    print("| network, layer | FLOP floor | " + " | ".join(WAYS) + " |")
    print("|---" * (len(WAYS) + 2) + "|")
    for network in given.networks:
        row(network, given.peers, given.rounds)


def row(network: str, peers: Path, rounds: int) -> None:
    """Measure one network, and print its line of the table."""
    children = {way: child for way in WAYS if (child := begin(way, network, peers)) is not None}
    best: dict[str, float] = {}
    for _ in range(rounds):
        for way, child in list(children.items()):
            milliseconds = turn(child)
            if milliseconds is None:
                del children[way]
            else:
                best[way] = min(best.get(way, milliseconds), milliseconds)
    for child in children.values():
        child.communicate()
    layer, size, _ = NETWORKS[network]
    cells = [f"{best[way]:.0f}" if way in best else "" for way in WAYS]
    print(
        f"| {network.partition('/')[0]} {layer} at {size} | {floor(network):.0f} | " + " | ".join(cells) + " |",
        flush=True,
    )


def begin(way: str, network: str, peers: Path) -> "subprocess.Popen[str] | None":
    """A process that is ready to measure, or None where it cannot."""
    python = peers / PEERS[way] / "bin" / "python" if way in PEERS else Path(sys.executable)
    if not python.exists():
        return None
    command = [str(python), str(Path(__file__).with_name("contenders.py")), way, network]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    child = subprocess.Popen(command, text=True, env=os.environ | QUIET | {"PYTHONPATH": str(ROOT)}, **pipes)
    assert child.stdout is not None
    ready = any(line.strip() == "ready" for line in child.stdout)
    return child if ready else None


def turn(child: "subprocess.Popen[str]") -> float | None:
    """One measurement; None: the process has ended."""
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        child.stdin.write("\n")
        child.stdin.flush()
    except BrokenPipeError:
        return None
    answer = child.stdout.readline().strip()
    return float(answer) if answer else None


def speed() -> float:
    """GFLOP/s of a convolution of middle size, as it comes."""
    torch.set_num_threads(1)
    images, weights = torch.rand(1, 96, 35, 35), torch.rand(96, 96, 3, 3)
    images, weights = (values.contiguous(memory_format=torch.channels_last) for values in (images, weights))
    best = min(timed(images, weights) for _ in range(20))
    return 2 * 96 * weights.numel() * 33**2 / 96 / best / 1e9


def timed(images: Tensor, weights: Tensor) -> float:
    began = process_time()
    for _ in range(4):
        torch.conv2d(images, weights)
    return (process_time() - began) / 4


def floor(network: str) -> float:
    """Milliseconds that the multiply-adds alone would take at that speed."""
    loaded, layer, size = network_of(network)
    layers = walk(loaded.model, torch.rand(2, 3, size, size)).layers
    macs = next(each.macs for each in layers if each.name == layer)
    return FLOP * macs / speed() / 1e6


if __name__ == "__main__":
    main()
