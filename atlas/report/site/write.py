"""`atlas site`: an atlas in, files out that a browser opens without a server; only what has changed is written."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from atlas.query.atlas import Atlas
from atlas.query.shell import Note
from atlas.report.marks import digest_of
from atlas.report.site.details import chunk_count, details
from atlas.report.site.encoding import Json, script
from atlas.report.site.families import families_of, named_families
from atlas.report.site.lists import LISTS, heading_of, read_list
from atlas.report.site.map_data import mapped_layers, plane_data, read_planes, write_band, write_mosaic
from atlas.report.site.matrix_data import matrix_files, read_matrix, tile_names
from atlas.report.site.neighbors import Partners, pairs_within, read_neighbors
from atlas.report.site.notes import notes
from atlas.report.site.overview import RelatedFiles, overview, words_of
from atlas.report.site.site_layer import SiteLayer, read_layers
from atlas.report.site.site_ledger import SiteLedger
from atlas.report.site.sprites import Drawing, sheets_of
from atlas.report.site.static import write_static
from atlas.report.site.wall import read_clusters, wall
from atlas.store.comparisons import read_comparisons
from atlas.store.paths import AtlasPaths

SITE = "9"  # raised when the data changes: older files are then made anew
THREADS = min(8, os.cpu_count() or 1)


@dataclass(frozen=True)
class SiteSummary:
    """What became of the files of a site."""

    index: Path  # to open
    written: int
    kept: int
    removed: int
    notes: list[Note]


@dataclass(frozen=True)
class Site:
    """A site while it is written."""

    atlas: Atlas
    ledger: SiteLedger
    pool: ThreadPoolExecutor
    similarity: str  # digest of all that similarity has found
    clusters: dict[tuple[str, str], Json]  # by model and layer

    @property
    def paths(self) -> AtlasPaths:
        return self.atlas.paths

    def families(self, layer: SiteLayer) -> Json:
        """The clusters of a layer by measure, with the names of their families."""
        return named_families(self.clusters.get((layer.model, layer.name), {}), layer.names)

    def script(self, file: Path, value: Json) -> bytes:
        """The content of a data file."""
        return script(self.paths.site_key(file), value)


def write_site(paths: AtlasPaths, begun: Callable[[str, int, int], None] | None = None) -> SiteSummary:
    """Write every file that is not there, or was made from something else; the overview, which names the others, last.

    begun: called as a layer is begun, with its name, its number from 1, and the number of layers.

    When it is stopped on the way, the old overview still stands and finds all files that it names, since old files are
    removed after the new overview is written. NotAnAtlas, Damaged: the atlas cannot be read, and nothing was written.
    """
    with Atlas(paths.root) as atlas, SiteLedger(paths) as ledger, _threads() as pool:
        site = Site(atlas, ledger, pool, _similarity_digest(paths), read_clusters(atlas))
        layers = read_layers(atlas)
        write_static(paths, ledger, *words_of(atlas, layers))
        matrices: list[list[str]] = []
        unreadable: list[Path] = []
        for number, layer in enumerate(layers, 1):
            if begun is not None:
                begun(f"{layer.model}/{layer.name}", number, len(layers))
            drawing = Drawing(ledger, pool, sheets_of(atlas, layer))
            matrices.append(_write_layer(site, layer))
            unreadable += drawing.finish()
            ledger.save()
        families = [families_of(site.families(layer)) for layer in layers]
        related = RelatedFiles(matrices, families, _write_maps(site, layers), _write_lists(site))
        remarks = notes(atlas, layers, unreadable)
        data = site.script(paths.site_overview, overview(atlas, layers, related, remarks))
        ledger.write(paths.site_overview, digest_of(data), lambda: data)
    return SiteSummary(paths.site_page, ledger.written, ledger.kept, ledger.removed, remarks)


@contextmanager
def _threads() -> Iterator[ThreadPoolExecutor]:
    """A pool that drops what it has not begun when an error ends the block."""
    pool = ThreadPoolExecutor(THREADS)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def _write_layer(site: Site, layer: SiteLayer) -> list[str]:
    """Write all data of a layer but its sprites; returns the measures that have a matrix."""
    clusters = site.families(layer)
    digest = digest_of("data", SITE, layer.digest, site.similarity)
    file = site.paths.site_data(layer.path, "layer")
    site.ledger.write(file, digest, lambda: site.script(file, wall(site.atlas, layer, clusters)))
    _write_details(site, layer, digest)
    return [name for name in clusters if _write_matrix(site, layer, name, clusters[name])]


def _write_details(site: Site, layer: SiteLayer, digest: str) -> None:
    """Write all that is known of each feature, and whom they are nearest to in each other layer of their network."""
    files = [site.paths.site_data(layer.path, f"features-{number}") for number in range(chunk_count(layer))]
    pairs = site.paths.site_data(layer.path, "pairs")
    wanted = [site.ledger.wants(file, digest) for file in [*files, pairs]]
    if not any(wanted):
        return
    partners = Partners()
    tables = read_neighbors(site.atlas, layer, partners)
    if wanted.pop():
        site.ledger.put(pairs, digest, site.script(pairs, pairs_within(layer, tables, partners)))
    for number, value in details(site.atlas, layer, tables, partners):
        if wanted[number]:
            site.ledger.put(files[number], digest, site.script(files[number], value))


def _write_matrix(site: Site, layer: SiteLayer, measure: str, clusters: Json) -> bool:
    """Write the matrix of a layer; returns whether there is one."""
    files = matrix_files(site.atlas, layer, measure)
    if files is None:
        return False
    digest = digest_of("matrix", SITE, site.similarity, clusters, [file.stat().st_size for file in files])
    name = f"matrix-{measure}"
    scripts = {"": site.paths.site_data(layer.path, name)}
    scripts |= {tile: site.paths.site_data(layer.path, f"{name}-{tile}") for tile in tile_names(len(clusters["order"]))}
    wanted = [tile for tile, file in scripts.items() if site.ledger.wants(file, digest)]
    matrix = read_matrix(files, clusters) if wanted else None
    if wanted and matrix is None:
        for file in scripts.values():
            site.ledger.drop(file)
        return False
    for tile, value in (("", matrix.whole()), *matrix.tiles()) if matrix is not None else ():
        if tile in wanted:
            site.ledger.put(scripts[tile], digest, site.script(scripts[tile], value))
    return True


def _write_maps(site: Site, layers: list[SiteLayer]) -> dict[str, list[str]]:
    """Write the maps of all models; returns the probes by model, of the models that have a map."""
    mapped = mapped_layers(site.atlas)
    own = {model: [layer for layer in layers if layer.model == model] for model in mapped}
    probes = {model: _write_map(site, model, own[model]) for model in mapped}
    return {model: some for model, some in probes.items() if some}


def _write_lists(site: Site) -> dict[str, Json]:
    """Write the lists of the whole atlas; returns the headings of those that have rows."""
    headings = {}
    for kind in LISTS:
        file = site.paths.site_list(kind)
        digest = digest_of("list", SITE, LISTS[kind], site.similarity)
        site.ledger.write(file, digest, lambda file=file, kind=kind: site.script(file, read_list(site.atlas, kind)))
        headings[kind] = heading_of(file.read_bytes())
    return {kind: heading for kind, heading in headings.items() if heading["count"]}


def _write_map(site: Site, model: str, layers: list[SiteLayer]) -> list[str]:
    """Write where the features of a model lie, and a picture of each map; returns the probes."""
    planes = read_planes(site.atlas, model, layers)
    if planes:
        file = site.paths.site_map(model)
        digest = digest_of(
            "map", SITE, site.similarity, [(layer.name, sorted(layer.names.items())) for layer in layers]
        )
        site.ledger.write(file, digest, lambda: site.script(file, {one.probe: plane_data(one) for one in planes}))
    for plane in planes:
        write_mosaic(site.paths, site.ledger, plane, model)
    if planes:
        write_band(site.paths, site.ledger, planes[0], model)
    return [plane.probe for plane in planes]


def _similarity_digest(paths: AtlasPaths) -> str:
    """Changes whenever a table of similarity does: tables are written anew as a whole, and similarity.json says when."""
    files = [
        file for file in (paths.layers, paths.matches, paths.quality, paths.clusters, paths.layout) if file.is_file()
    ]
    for folder in (paths.neighbors, paths.examples):
        files += sorted(folder.rglob("[!.]*.parquet"))
    sizes = [(paths.relative(file), file.stat().st_size) for file in files]
    return digest_of(sorted(read_comparisons(paths).items()), sizes)
