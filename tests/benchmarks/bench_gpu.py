"""What a GPU makes of it, in under eight minutes: an image-step's time, equal bytes, a whole job, a kill, too large a batch.

`python tests/benchmarks/bench_gpu.py` runs each part in a process of its own with a limit, and prints lines of JSON; a part
that fails or takes too long says so, and the next one runs. `--device cpu --steps 3` tries the script itself.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch

from atlas.config.compose import compose_model
from atlas.config.recipe_files import read_recipe
from atlas.config.schema import RecipeConfig
from atlas.engine.pinned import make_repeatable
from atlas.optvis.batch import Keep, Moment
from atlas.optvis.make import Canvas, make_images
from atlas.optvis.objectives import channel
from atlas.store.images import sha256_of
from atlas.store.index import files_under, read_table
from atlas.sweep.recipe_fit import fit_recipe
from atlas.zoo.load import Loaded, load

NETWORKS = {"googlenet": ("inception4a", 340), "inception_v3": ("Mixed_6b", 340), "resnet50": ("layer3", 256)}
BATCH = 32
SMALL = 64  # pixels, where the script itself is tried
WARM = 4  # steps before the clock runs


def random_network(name: str, device: str) -> Loaded:
    """With random weights: time does not depend on them."""
    return load(name, replace(compose_model(name), weights="none"), device)


def recipe_of(name: str, size: int, steps: int, precision: str) -> RecipeConfig:
    size = size if torch.cuda.is_available() else SMALL
    # random weights have dead channels, and while one is rescued a step takes three times as long
    recipe = read_recipe("standard", precision=precision, trace_every=1000, rescue=0)
    recipe = replace(recipe, octaves=[replace(recipe.octaves[0], steps=steps)])
    return fit_recipe(recipe, name, input_size=size, grows=True, device="cuda")


def wait(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()


def step_times(device: str, steps: int) -> None:
    """Milliseconds an image-step: by hooks as it was, cut, and cut in bfloat16; 32 images, and 64 of the last."""
    for name in NETWORKS:
        loaded = random_network(name, device)
        for way, precision, batch in (
            ("hooks", "float32", BATCH),
            ("cut", "float32", BATCH),
            ("cut", "tf32", BATCH),
            ("hooks", "bfloat16", BATCH),
            ("cut", "bfloat16", BATCH),
            ("cut", "bfloat16", 2 * BATCH),
        ):
            step_time(loaded, way, precision, batch, steps=steps)


def compiled(device: str, steps: int) -> None:
    """The same of one network by torch's compiler, what follows the gradient as one kernel, and the seconds that it takes."""
    loaded = random_network(next(iter(NETWORKS)), device)
    for way in ("cut", "compiled", "cut", "compiled"):
        step_time(loaded, way, "bfloat16", BATCH, steps=steps)


def step_time(loaded: Loaded, way: str, precision: str, batch: int, *, steps: int) -> None:
    """Tell milliseconds an image-step of a network, and the seconds before the clock runs."""
    (layer, size), device = NETWORKS[loaded.name], loaded.device.type
    cut = partial(loaded.cut, [layer], folded=True, compiled=way == "compiled")
    times = [time.perf_counter()]

    def watch(moment: Moment) -> None:
        if moment.step in (WARM, WARM + steps):
            wait(device)
            times.append(time.perf_counter())

    make_images(
        loaded.forward([layer]) if way == "hooks" else cut(),
        channel(layer, torch.arange(batch, device=device)),
        recipe_of(loaded.name, size, WARM + steps, precision),
        seeds=list(range(batch)),
        canvas=Canvas(loaded.scale, loaded.device),
        keep=Keep(watch=watch),
        fixed=True,
        fused=way == "compiled",
    )
    peak = torch.cuda.max_memory_allocated() >> 20 if device == "cuda" else None
    milliseconds, seconds = (times[2] - times[1]) / steps / batch * 1e3, times[1] - times[0]
    asked = {"network": loaded.name, "layer": layer, "size": size, "way": way, "precision": precision, "batch": batch}
    say(**asked, ms=milliseconds, warm_seconds=seconds, peak=peak)


def equal_bytes(device: str, steps: int) -> None:
    """Whether an image is the same twice, at another place of its batch, and among others, by precision."""
    name, (layer, size) = next(iter(NETWORKS.items()))
    loaded = random_network(name, device)
    for precision in ("float32", "tf32", "bfloat16"):
        recipe = recipe_of(name, size, steps, precision)
        forward = loaded.cut([layer], folded=True)

        def images(numbers: Sequence[int], recipe: RecipeConfig = recipe, forward: Any = forward) -> torch.Tensor:
            objective = channel(layer, torch.tensor(numbers, device=device))
            canvas = Canvas(loaded.scale, loaded.device)
            return make_images(
                forward, objective, recipe, seeds=[7 + number for number in numbers], canvas=canvas, fixed=True
            ).images

        numbers = list(range(8))
        first, again, turned = images(numbers), images(numbers), images(numbers[::-1]).flip(0)
        others = images([0, 1, *range(20, 26)])
        say(
            precision=precision,
            twice=torch.equal(first, again),
            another_place=torch.equal(first, turned),
            among_others=torch.equal(first[:2], others[:2]),
            apart=(first - turned).abs().max().item(),
        )


def waits(device: str, steps: int) -> None:
    """How often a step after the first ones waits for the GPU."""
    name, (layer, size) = next(iter(NETWORKS.items()))
    loaded, late = random_network(name, device), 20
    forward, calls = loaded.cut([layer], folded=True), 0

    def watch(moment: Any) -> None:
        if device == "cuda" and moment.step == late:
            torch.cuda.set_sync_debug_mode("warn")
        if device == "cuda" and moment.step == late + steps - 1:
            torch.cuda.set_sync_debug_mode("default")

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        make_images(
            forward,
            channel(layer, torch.arange(4, device=device)),
            recipe_of(name, size, late + steps, "bfloat16"),
            seeds=list(range(4)),
            canvas=Canvas(loaded.scale, loaded.device),
            keep=Keep(watch=watch),
            fixed=True,
        )
        calls = sum("synchronizing" in str(warning.message) for warning in caught)
    say(steps=steps, waits=calls)


def job(*words: str, out: Path, device: str) -> list[str]:
    return [
        *(sys.executable, "-m", "atlas", "generate", "model=googlenet", "models.googlenet.weights=none"),
        *(f"out={out}", f"cluster.device={device}", "cluster=inline", *words),
    ]


def hashes(out: Path) -> dict[str, str]:
    """Of every image, by its path."""
    rows = [row for path in files_under(out / "index") for row in read_table(path).to_pylist()]
    return {row["image"]: sha256_of(out / row["image"]) for row in rows}


def whole_job(device: str, steps: int) -> None:
    """A whole job from the shell, then the same killed in the middle and resumed: seconds, and whether bytes are equal."""
    words = ["layers=[inception4a]", f"channels=0:{128 if device == 'cuda' else 4}"]
    words += [] if device == "cuda" else [f"recipe.octaves=[{{size: 64, steps: {steps}, lr: [0.02, 0.004]}}]"]
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        subprocess.run(job(*words, out=Path(folder, "a"), device=device), check=True, capture_output=True)
        seconds = time.perf_counter() - began
        child = subprocess.Popen(
            job(*words, "cluster.shard_seconds=2", out=Path(folder, "b"), device=device),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        while child.poll() is None and not list(Path(folder, "b").glob("index/**/*.parquet")):
            time.sleep(0.2)
        if child.poll() is None:
            os.kill(child.pid, signal.SIGKILL)
        child.wait()
        subprocess.run(
            job(*words, "cluster.shard_seconds=2", out=Path(folder, "b"), device=device),
            check=True,
            capture_output=True,
        )
        whole, resumed = hashes(Path(folder, "a")), hashes(Path(folder, "b"))
    say(images=len(whole), seconds=seconds, all_there=whole.keys() == resumed.keys(), same_bytes=whole == resumed)


def too_large(device: str, steps: int) -> None:
    """A batch that cannot fit is halved until it does."""
    count, size = (64, 1024) if device == "cuda" else (2, 64)
    words = ["layers=[inception4a]", f"channels=0:{count}", "cluster.batch=4096", "recipe.transforms.views=8"]
    words += [f"recipe.octaves=[{{size: {size}, steps: {steps}, lr: [0.02, 0.004]}}]"]
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        subprocess.run(job(*words, out=Path(folder, "a"), device=device), check=True, capture_output=True)
        say(images=len(hashes(Path(folder, "a"))), seconds=time.perf_counter() - began)


PARTS: dict[str, tuple[Callable[[str, int], None], int]] = {  # and the seconds that each may take
    "step_times": (step_times, 140),
    "compiled": (compiled, 100),
    "equal_bytes": (equal_bytes, 50),
    "waits": (waits, 30),
    "whole_job": (whole_job, 110),
    "too_large": (lambda device, steps: too_large(device, 2), 50),
}


def say(**values: Any) -> None:
    print(json.dumps({name: round(v, 4) if isinstance(v, float) else v for name, v in values.items()}), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", default=list(PARTS), help=f"of {', '.join(PARTS)}; all of them")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--here", action="store_true", help="in this process, one part")
    given = parser.parse_args()
    if given.here:
        make_repeatable(given.device)
        PARTS[given.parts[0]][0](given.device, given.steps)
        return
    card = torch.cuda.get_device_name() if given.device == "cuda" else "cpu"
    say(card=card, torch=torch.__version__)
    for name in given.parts:
        words = [sys.executable, __file__, name, "--here", "--device", given.device, "--steps", str(given.steps)]
        print(f"# {name}", flush=True)
        try:
            ended = subprocess.run(words, timeout=PARTS[name][1], check=False)
            if ended.returncode:
                say(part=name, ended=ended.returncode)
        except subprocess.TimeoutExpired:
            say(part=name, ended="too slow", limit=PARTS[name][1])


if __name__ == "__main__":
    main()
