"""What a layer's responses say without those of other layers: made where the layer is measured, kept beside the bank."""

from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from atlas.similarity.tables.examples import TopPictures
from atlas.store.files import readable, write_whole
from atlas.store.index import read_table, write_table

TABLES = ("moments", "quality", "names")


@dataclass(frozen=True)
class LayerTables:
    """Rows of the atlas's tables, and the pictures to be copied; None where a layer has none of a kind."""

    moments: pa.Table
    quality: pa.Table | None = None
    names: pa.Table | None = None
    tops: TopPictures | None = None

    def write(self, folder: Path, number: int) -> None:
        """Keep them in the folder of a bank, under the layer's number."""
        for name in TABLES:
            table = getattr(self, name)
            if table is not None:
                write_table(folder / f"{number}.{name}.parquet", table)
        if self.tops is not None:
            arrays = asdict(self.tops)
            write_whole(_tops(folder, number), lambda file: np.savez(file, **arrays), durable=False)

    @classmethod
    def read(cls, folder: Path, number: int) -> "LayerTables":
        """Those that were kept."""
        files = {name: folder / f"{number}.{name}.parquet" for name in TABLES}
        tables = {name: read_table(file) for name, file in files.items() if file.exists()}
        if not _tops(folder, number).exists():
            return cls(**tables)
        with np.load(readable(_tops(folder, number))) as arrays:
            tops = TopPictures(**{**arrays, "features": arrays["features"].tolist()})
        return cls(**tables, tops=tops)


def _tops(folder: Path, number: int) -> Path:
    return folder / f"{number}.tops.npz"
