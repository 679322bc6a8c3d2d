"""A large atlas as pages: seconds, files, memory, a second run that has nothing to do, and the peer: to read all images.

`PYTHONPATH=tests:. python tests/benchmarks/bench_site.py [FEATURES] [--keep DIR]`. The atlas is made up: two models
of six layers each, two metrics, images of 96 pixels that show a few hundred pictures again and again; --keep leaves
it in DIR.
"""

import argparse
import resource
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from itertools import cycle
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

from made_atlas import Made, make_atlas, picture
from made_similarity import Sizes, write_maps, write_similarity

from atlas.query.atlas import Atlas
from atlas.report.site.write import write_site
from atlas.store.images import to_pil, write_pixels
from atlas.store.paths import AtlasPaths

FIXED = 2048  # channels of one layer
SHARES = (1, 2, 4, 8, 12, 0, 3, 6, 10, 14, 16, 5)  # of the other channels; 0: the layer of FIXED
PICTURES = 300
SIZE = 96


def main(features: int, root: Path) -> None:
    paths = _told("atlas", lambda: make_atlas(root, layers_of(features), shard=512, images=False))
    images = _told("images", lambda: write_images(paths))
    _told("similarity", lambda: _compare(paths))
    print(f"{features:,} features, {len(images):,} images in {root}")
    plain = _told("plain loop that reads all images", lambda: sum(len(path.read_bytes()) for path in images))
    print(f"{plain / 1e6:.0f} MB")
    began = perf_counter()
    for path in images:
        path.read_bytes()
    read = perf_counter() - began
    for name in ("site", "site again"):
        seconds, peak, told = _apart(_write, paths.root)
        print(f"{name}: {seconds:.1f} s, {seconds / read:.1f} times the plain loop, peak {peak:.2f} GiB; {told}")
    files = [path for path in paths.site.rglob("*") if path.is_file()]
    for folder in ("data", "sprites"):
        mine = [path.stat().st_size for path in files if folder in path.relative_to(paths.site).parts]
        print(f"{folder}: {len(mine):,} files, {sum(mine) / 1e6:.0f} MB, the largest {max(mine) / 1e6:.1f} MB")


def layers_of(features: int) -> list[Made]:
    rest = features - FIXED
    widths = [max(8, rest * share // sum(SHARES)) if share else FIXED for share in SHARES]
    names = [(model, f"stage{number}.conv") for model in ("alpha", "beta") for number in range(6)]
    return [
        Made(model, layer, width, width, index=place % 6, dead=(3,), size=SIZE)
        for place, ((model, layer), width) in enumerate(zip(names, widths, strict=True))
    ]


def write_images(paths: AtlasPaths) -> list[Path]:
    """A file for every row, out of a few pictures."""
    first = paths.root.parent / ".picture.png"
    contents = []
    for number in range(PICTURES):
        write_pixels(first, to_pil(picture(number, SIZE)))
        contents.append(first.read_bytes())
    first.unlink()
    with Atlas(paths.root) as atlas:
        images = [paths.root / image for image in atlas.sql("SELECT image FROM features")["image"].to_pylist()]
    for folder in {image.parent for image in images}:
        folder.mkdir(parents=True, exist_ok=True)
    for image, data in zip(images, cycle(contents), strict=False):
        image.write_bytes(data)
    return images


def _compare(paths: AtlasPaths) -> None:
    write_similarity(paths, Sizes(scopes=("layer", "model", "other"), measures=("sym", "profile")))
    write_maps(paths)


def _write(root: Path) -> tuple[float, float, str]:
    began = perf_counter()
    written = write_site(AtlasPaths(root))
    seconds = perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return seconds, peak, f"{written.written:,} written, {written.kept:,} kept"


def _apart(work: Callable[..., Any], *words: Any) -> Any:
    """In a process of its own, whose memory is nobody else's."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(work, *words).result()


def _told(name: str, work: Callable[[], Any]) -> Any:
    began = perf_counter()
    found = work()
    print(f"{name}: {perf_counter() - began:.1f} s", flush=True)
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("features", type=int, nargs="?", default=30_000)
    parser.add_argument("--keep", type=Path, help="a folder that is not there yet")
    asked = parser.parse_args()
    with TemporaryDirectory() as folder:
        main(asked.features, asked.keep or Path(folder) / "big")
