"""What the data of a layer is made from beside its rows: marks of the tables that similarity leaves."""

from collections.abc import Iterator
from pathlib import Path

from atlas.report.site.site_ledger import digest_of
from atlas.store.comparisons import read_comparisons
from atlas.store.paths import AtlasPaths


def similarity_mark(paths: AtlasPaths) -> str:
    """Changes whenever a table does: they are written anew as a whole, and similarity.json says when."""
    sizes = [(paths.relative(file), file.stat().st_size) for file in _tables(paths)]
    return digest_of(sorted(read_comparisons(paths).items()), sizes)


def _tables(paths: AtlasPaths) -> Iterator[Path]:
    single = (paths.layers, paths.matches, paths.quality, paths.clusters, paths.layout)
    yield from (file for file in single if file.is_file())
    for folder in (paths.neighbors, paths.examples):
        yield from sorted(folder.rglob("[!.]*.parquet"))
