"""What a site lacks, in sentences."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from atlas.query.atlas import Atlas
from atlas.query.knowledge import PROBE, command, freshness, probes
from atlas.report.site.layers import Layer
from atlas.report.site.overview import counts

FAILURES = "select feature, metric, error_type, error_message from failures"


def notes(atlas: Atlas, layers: list[Layer], unreadable: Sequence[Path]) -> list[str]:
    return [*_images(atlas, layers), *_unreadable(atlas, unreadable), *_similarity(atlas, layers)]


def _images(atlas: Atlas, layers: list[Layer]) -> Iterator[str]:
    found = [counts(layer) for layer in layers]
    made, left, failed = (sum(one[name] for one in found for name in names) for names in _STATES)
    if not made:
        yield "no image was made yet: `atlas run` makes them"
    elif left:
        yield f"{_images_are(left)} not made yet; `atlas run`, as it was typed before, makes the rest"
    if failed:
        lists = f'`atlas sql --atlas {atlas.path} "{FAILURES}"`'
        yield f"{failed:,} image{'s' * (failed != 1)} failed: {lists} lists them, `retry=failed` tries them again"


def _unreadable(atlas: Atlas, images: Sequence[Path]) -> Iterator[str]:
    several = list(dict.fromkeys(images))
    if several:
        first = atlas.paths.relative(several[0])
        yield f"{_images_are(len(several))} missing or damaged, as {first}; `atlas verify --atlas {atlas.path}` lists all"


def _similarity(atlas: Atlas, layers: list[Layer]) -> Iterator[str]:
    if not any((layer.best == 0).any() for layer in layers):
        return
    if not any(atlas.paths.neighbors.rglob("[!.]*.parquet")):
        yield f"features were not compared yet: `{command(atlas)}` finds neighbors, families and maps"
        return
    stale = {probe: freshness(atlas, probe) for probe in probes(atlas)}
    yield from (told if probe == PROBE else f"probe {probe}: {told}" for probe, told in stale.items() if told)


def _images_are(number: int) -> str:
    return f"{number:,} image{'s are' if number != 1 else ' is'}"


_STATES = (("ok", "dead"), ("left",), ("failed",))
