"""What a site lacks, and what to type about it."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from atlas.query.atlas import Atlas
from atlas.query.shell import Note, failures, reading
from atlas.query.tables_known import PROBE, command, overtaken, probes
from atlas.report.site.overview import totals
from atlas.report.site.site_layer import SiteLayer


def notes(atlas: Atlas, layers: list[SiteLayer], unreadable: Sequence[Path]) -> list[Note]:
    """Notes about images that are not made, failed or cannot be read, and about similarity that is not there or old."""
    return [*_images(atlas, layers), *_unreadable(atlas, unreadable), *_similarity(atlas, layers)]


def _images(atlas: Atlas, layers: list[SiteLayer]) -> Iterator[Note]:
    counts = totals(layers)
    if not counts["ok"] + counts["dead"]:
        yield ["no image was made yet: ", "atlas run", " makes them"]
    elif counts["left"]:
        yield [f"{_images_are(counts['left'])} not made yet; ", "atlas run", ", as it was typed before, makes the rest"]
    if failed := counts["failed"]:
        sentence = f"{failed:,} image{'s' * (failed != 1)} failed: "
        yield [sentence, failures(atlas.path), " lists them, ", "retry=failed", " tries them again"]


def _unreadable(atlas: Atlas, images: Sequence[Path]) -> Iterator[Note]:
    distinct = list(dict.fromkeys(images))
    if distinct:
        sentence = f"{_images_are(len(distinct))} missing or damaged, as {atlas.paths.relative(distinct[0])}; "
        yield [sentence, reading("verify", atlas.path), " lists all"]


def _similarity(atlas: Atlas, layers: list[SiteLayer]) -> Iterator[Note]:
    if not any((layer.best == 0).any() for layer in layers):
        return
    if not any(atlas.paths.neighbors.rglob("[!.]*.parquet")):
        yield ["features were not compared yet: ", command(atlas), " finds neighbors, families and maps"]
        return
    for probe in probes(atlas):
        if note := overtaken(atlas, probe):
            yield note if probe == PROBE else [f"probe {probe}: {note[0]}", *note[1:]]


def _images_are(number: int) -> str:
    return f"{number:,} image{'s are' if number != 1 else ' is'}"
