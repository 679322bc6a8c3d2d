"""`atlas site`: an atlas as files that a browser opens without a server; only what has changed is written."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from atlas.query.atlas import Atlas
from atlas.report.site.details import chunk_count, details
from atlas.report.site.grid import MEASURES, Json, grid, read_clusters
from atlas.report.site.layers import Layer, read_layers
from atlas.report.site.ledger import Ledger, digest_of
from atlas.report.site.matrix import matrix_files, read_matrix
from atlas.report.site.notes import notes
from atlas.report.site.overview import Related, overview
from atlas.report.site.plane import mapped_models, plane
from atlas.report.site.script import script
from atlas.report.site.sources import similarity_mark
from atlas.report.site.sprites import Drawing, sheets_of
from atlas.report.site.static import write_static
from atlas.store.paths import AtlasPaths, safe

SITE = "1"  # raised when the data changes: older files are then made anew
THREADS = min(8, os.cpu_count() or 1)


@dataclass(frozen=True)
class Written:
    """What became of the files of a site."""

    index: Path  # to open
    written: int
    kept: int
    removed: int
    notes: list[str]


@dataclass(frozen=True)
class Site:
    """A site while it is written."""

    atlas: Atlas
    ledger: Ledger
    pool: ThreadPoolExecutor
    similarity: str  # mark of all that similarity has found
    clusters: dict[tuple[str, str], Json]  # by model and layer

    @property
    def paths(self) -> AtlasPaths:
        return self.atlas.paths


def write_site(paths: AtlasPaths) -> Written:
    """Write what is not there, or was made from something else; the overview last, which names all others.

    NotAnAtlas, Damaged before anything is written of what cannot be read.
    """
    with Atlas(paths.root) as atlas, Ledger(paths) as ledger, _threads() as pool:
        site = Site(atlas, ledger, pool, similarity_mark(paths), read_clusters(atlas))
        write_static(paths, ledger)
        layers = read_layers(atlas)
        related: list[Related] = []
        unreadable: list[Path] = []
        for layer in layers:
            drawing = Drawing(ledger, pool, sheets_of(atlas, layer))
            related.append(_write_layer(site, layer))
            unreadable += drawing.finish()
            ledger.save()
        _write_maps(site, layers)
        told = notes(atlas, layers, unreadable)
        data = script("atlas", overview(atlas, layers, related, told))
        ledger.write(paths.site_overview, digest_of(data), lambda: data)
    return Written(paths.site_page, ledger.written, ledger.kept, ledger.removed, told)


@contextmanager
def _threads() -> Iterator[ThreadPoolExecutor]:
    """A pool that drops, when it is left early, what it has not begun."""
    pool = ThreadPoolExecutor(THREADS)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def _write_layer(site: Site, layer: Layer) -> Related:
    """All data of a layer; sprites are drawn meanwhile."""
    clusters = site.clusters.get((layer.model, layer.name), {})
    digest = digest_of("data", SITE, layer.digest, site.similarity)
    file = site.paths.site_data(layer.model, layer.name, "layer")
    site.ledger.write(file, digest, lambda: script(f"layers/{layer.path}/layer", grid(site.atlas, layer, clusters)))
    _write_details(site, layer, digest)
    shown = next((clusters[name] for name in MEASURES if name in clusters), None)
    families = len(set(shown["family"])) if shown else None
    return Related(_write_matrices(site, layer, clusters), families)


def _write_details(site: Site, layer: Layer, digest: str) -> None:
    names = [f"features-{number}" for number in range(chunk_count(layer))]
    files = [site.paths.site_data(layer.model, layer.name, name) for name in names]
    wanted = [site.ledger.wants(file, digest) for file in files]
    if any(wanted):
        for number, value in details(site.atlas, layer):
            if wanted[number]:
                site.ledger.put(files[number], digest, script(f"layers/{layer.path}/{names[number]}", value))


def _write_matrices(site: Site, layer: Layer, clusters: Json) -> list[str]:
    """The measures whose matrix the site has."""
    return [name for name in clusters if _write_matrix(site, layer, name, clusters[name])]


def _write_matrix(site: Site, layer: Layer, measure: str, clusters: Json) -> bool:
    files = matrix_files(site.atlas, layer, measure)
    if files is None:
        return False
    digest = digest_of("matrix", SITE, site.similarity, clusters, [file.stat().st_size for file in files])
    name = f"matrix-{measure}"
    file = site.paths.site_data(layer.model, layer.name, name)
    if site.ledger.wants(file, digest):
        value = read_matrix(files, clusters)
        if value is None:
            site.ledger.drop(file)
            return False
        site.ledger.put(file, digest, script(f"layers/{layer.path}/{name}", value))
    return True


def _write_maps(site: Site, layers: list[Layer]) -> None:
    for model in mapped_models(site.atlas):
        names = [layer.name for layer in layers if layer.model == model]
        digest = digest_of("map", SITE, site.similarity, names)
        make = lambda model=model, names=names: script(f"maps/{safe(model)}", plane(site.atlas, model, names))  # noqa: E731
        if names:
            site.ledger.write(site.paths.site_map(model), digest, make)
