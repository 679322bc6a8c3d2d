"""Exact top-20 tables of many features: throughput against a plain float32 product, peak memory,
and faiss as the peer.

`make bench`, or with sizes: python tests/benchmarks/bench_similarity.py 30000 30000. Responses are drawn,
layer by layer, with a few shared directions. faiss is optional (pip install faiss-cpu):
its exact search answers some of the features, and is asked whether it finds the same neighbors.
"""

import resource
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import numpy as np
import torch

from atlas.similarity.compare.bank import Bank, write_bank
from atlas.similarity.compare.block_results import BlockResults
from atlas.similarity.compare.blocks import Comparison, blocks_of
from atlas.similarity.compare.comparer import Comparer
from atlas.similarity.compare.facts import PictureRoles
from atlas.similarity.compare.spans import LayerSpan
from atlas.similarity.tables.neighbors import neighbor_table

WIDTH = 2000  # channels of a layer
SHARED = 40  # directions that all channels share
TOP = 20
QUERIES = 1024  # features that faiss is asked about


def main(features: int = 8000, pictures: int = 8000) -> None:
    torch.set_num_threads(2)
    addresses = sorted(f"net/layer{number // WIDTH:02}:{number % WIDTH}" for number in range(features))
    weight, nobody = np.full(pictures, 1 / pictures), np.full(pictures, -1)
    roles = PictureRoles(addresses, weight, nobody, np.zeros(pictures, bool))
    print(f"{features:,} features x {pictures:,} pictures, two threads")
    with TemporaryDirectory() as folder:
        began = perf_counter()
        bank = write_bank(Path(folder), roles, lambda span: _responses(span, pictures))
        print(f"bank written in {perf_counter() - began:.0f} s (drawing the numbers included)")
        plain = [_product(bank)]
        seconds, results = _compare(bank, Path(folder))
        plain.append(_product(bank))
        rate = 2 * features**2 * pictures / seconds / 1e9
        table = neighbor_table(bank, results, "all", "profile", probe="drawn")
        print(f"plain float32 product before and after: {plain[0]:.0f}, {plain[1]:.0f} GFLOP/s")
        print(f"tables: {seconds:.0f} s, {rate:.0f} GFLOP/s, {rate / np.mean(plain):.0%} of the plain product")
        print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GiB")
        _against_faiss(bank, table, seconds / features)


def _responses(span: LayerSpan, pictures: int) -> np.ndarray:
    """Responses (pictures, channels) of a layer, the same whenever they are drawn."""
    shared = np.random.default_rng(0).standard_normal((pictures, SHARED), np.float32)
    random = np.random.default_rng(span.start + 1)
    mixed = shared @ random.standard_normal((SHARED, len(span)), np.float32)
    return mixed + 4 * random.standard_normal((pictures, len(span)), np.float32)


def _product(bank: Bank) -> float:
    """GFLOP/s of one product of two layers over all pictures."""
    a = torch.from_numpy(bank.rows(0))
    b = torch.from_numpy(bank.rows(len(bank.spans) - 1))
    (a @ b.T).sum()
    began = perf_counter()
    for _ in range(3):
        a @ b.T
    return 3 * 2 * len(a) * len(b) * a.shape[1] / (perf_counter() - began) / 1e9


def _compare(bank: Bank, folder: Path) -> tuple[float, BlockResults]:
    comparer = Comparer(bank, Comparison(("profile",), ("layer", "model", "all"), TOP, 5))
    blocks = blocks_of(bank.spans)
    began = perf_counter()
    for block in blocks:
        comparer.compare(block, folder / block.file)
    return perf_counter() - began, BlockResults(blocks, [folder / block.file for block in blocks])


def _against_faiss(bank: Bank, table, each: float) -> None:
    try:
        import faiss
    except ImportError:
        print("faiss is not here: pip install faiss-cpu to compare with it")
        return
    faiss.omp_set_num_threads(2)
    index = faiss.IndexFlatIP(bank.rows(0).shape[1])
    for number in range(len(bank.spans)):
        index.add(bank.rows(number))
    queries = bank.rows(0)[:QUERIES]
    began = perf_counter()
    _, near = index.search(queries, TOP + 1)
    nearest = (perf_counter() - began) / len(queries)
    index.search(-queries, TOP)
    both = (perf_counter() - began) / len(queries)
    print(
        f"faiss IndexFlatIP: {nearest * 1e3:.1f} ms a feature for the nearest, {both * 1e3:.1f} with the most opposite; "
        f"here {each * 1e3:.1f} for both, their baselines and the layer table: "
        f"faiss takes {nearest / each:.2f} and {both / each:.2f} of it"
    )
    neighbors: dict[str, list[str]] = {}
    for row in table.filter(np.asarray(table["sign"]) == 1).select(["src", "dst"]).to_pylist():
        neighbors.setdefault(row["src"], []).append(row["dst"])
    same = [
        neighbors[bank.addresses[f]] == [bank.addresses[g] for g in near[f] if g != f][:TOP]
        for f in range(len(queries))
    ]
    print(f"the same {TOP} neighbors in the same order for {np.mean(same):.1%} of {len(same)} features")
    print(f"peak memory with faiss {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GiB")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
