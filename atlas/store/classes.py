"""classes.parquet: the names of a classifier's classes, a row for each channel of each layer that gives their scores."""

from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa

from atlas.records import Address, ModelCard
from atlas.store.index import Row, read_table, write_rows

CLASSES = pa.schema(
    [
        ("feature", pa.string()),  # address
        ("model", pa.string()),
        ("layer", pa.string()),
        ("channel", pa.int32()),
        ("weights", pa.string()),  # of which the name is: the same model with others may have other classes
        ("name", pa.string()),
    ]
)


def write_classes(path: Path, cards: Iterable[ModelCard]) -> None:
    """Write the class names of some models beside those of the others; a file that says so already is left alone."""
    rows = [row for card in cards for row in _rows(card)]
    before = read_table(path).to_pylist() if path.exists() else []
    renamed = {(row["model"], row["weights"]) for row in rows}
    rows = [*(row for row in before if (row["model"], row["weights"]) not in renamed), *rows]
    rows.sort(key=lambda row: (row["model"], row["weights"], row["layer"], row["channel"]))
    if rows != before:
        write_rows(path, rows, CLASSES)


def _rows(card: ModelCard) -> Iterable[Row]:
    for layer in card.layers:
        for channel, name in enumerate(layer.classes):
            yield {
                "feature": str(Address(card.name, layer.name, channel)),
                "model": card.name,
                "layer": layer.name,
                "channel": channel,
                "weights": card.provenance,
                "name": name,
            }
