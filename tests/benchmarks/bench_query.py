"""30,000 features: seconds to open an atlas and count its images, or find the neighbors of one feature; checks the answers.

`PYTHONPATH=tests:. python tests/benchmarks/bench_query.py`. The atlas is made up: 3 models of 20 layers of 500
channels, in 300 index files, and the 20 tables of neighbors with up to 750,000 rows each; no images.
"""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import numpy as np
import pyarrow as pa
from made_similarity import write_similarity

from atlas.query.atlas import Atlas
from atlas.store.index import INDEX, write_table
from atlas.store.manifest import new_manifest, write_manifest
from atlas.store.paths import AtlasPaths

ROWS = 100  # of an index file
FILES = 300
WIDTH = 64  # channels of an activation vector
LONGEST = 1.5  # seconds that opening and one question may take


def main() -> None:
    with TemporaryDirectory() as folder:
        root = thirty_thousand(Path(folder) / "big").root
        for name, question in {"count": count, "one feature": one_feature, "similar": similar}.items():
            print(f"open + {name}: {seconds(root, question):.3f} s")
        assert seconds(root, similar) < LONGEST


def seconds(root: Path, question: Callable[[Atlas], None]) -> float:
    began = perf_counter()
    with Atlas(root) as atlas:
        question(atlas)
    return perf_counter() - began


def count(atlas: Atlas) -> None:
    assert atlas.sql("select count(*) n from features")["n"].to_pylist() == [ROWS * FILES]


def one_feature(atlas: Atlas) -> None:
    assert atlas.feature("ma/layer3:42").rows().num_rows == 1
    assert atlas.sql("select max(len(activation)) n from features")["n"].to_pylist() == [WIDTH]


def similar(atlas: Atlas) -> None:
    rows = atlas.feature("mb/layer7:42").similar()
    assert rows["dst"].to_pylist()[:2] == ["mb/layer7:41", "mb/layer7:43"]
    assert rows["image"].null_count == 0


def thirty_thousand(root: Path) -> AtlasPaths:
    """Write the atlas, its index column by column."""
    paths = AtlasPaths(root)
    write_manifest(paths.manifest, new_manifest("big"))
    zeros = pa.array(np.zeros(ROWS * WIDTH, np.float32))
    vectors = pa.FixedSizeListArray.from_arrays(zeros, WIDTH).cast(pa.list_(pa.float32()))
    for number in range(FILES):
        model, layer, start = ("ma", "mb", "mc")[number // 100], f"layer{number // 5 % 20}", number % 5 * ROWS
        channels = range(start, start + ROWS)
        values = {
            "model": [model] * ROWS,
            "layer": [layer] * ROWS,
            "channel": list(channels),
            "status": ["ok"] * ROWS,
            "metric": ["l1"] * ROWS,
            "target": ["channel"] * ROWS,
            "layer_index": [number // 5 % 20] * ROWS,
            "activation": vectors,
            "feature": [f"{model}/{layer}:{channel}" for channel in channels],
            "image": [f"images/{model}/{layer}/l1/{channel}.png" for channel in channels],
            "task": [f"{number:03}-{channel:03}" for channel in channels],
        }
        columns = [pa.array(values[f.name], f.type) if f.name in values else pa.nulls(ROWS, f.type) for f in INDEX]
        write_table(paths.shard_index(model, layer, str(number)), pa.Table.from_arrays(columns, schema=INDEX))
    write_similarity(paths)
    return paths


if __name__ == "__main__":
    main()
