"""data/atlas.js: what the first page shows, and where all other files lie."""

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import groupby
from math import inf
from typing import NamedTuple

import numpy as np

from atlas.query.atlas import Atlas
from atlas.query.shell import Note
from atlas.query.tables_known import command
from atlas.report.site.encoding import Json, listed, numbers
from atlas.report.site.site_layer import CHUNK, LETTERS, SHEET_SIDE, STATES, SiteLayer
from atlas.report.site.sprites import samples
from atlas.store.comparisons import pictures_in_words, read_comparisons
from atlas.store.paths import safe

RELATED = ("cka", "cka_baseline", "best_match", "best_match_baseline", "mutual_share", "mutual_share_baseline")
SET = ("key", "metric", "target", "seed", "recipe", "variant", "folder", "suffix")

LayerParts = tuple[SiteLayer, list[str], list[list[object]]]  # a layer, its matrices, its families
Names = dict[tuple[str, str], dict[int, str]]


class RelatedFiles(NamedTuple):
    """Which matrices and maps were written, so that pages link to no other."""

    matrices: Sequence[list[str]]  # for each layer, the measures that have a matrix
    families: Sequence[list[list[object]]]  # for each layer, name, size and middle member of its families
    maps: dict[str, list[str]]  # by model that has a map, the probes
    lists: dict[str, Json]  # by list that has rows, its heading


def overview(atlas: Atlas, layers: list[SiteLayer], related: RelatedFiles, notes: list[Note]) -> Json:
    """The value of data/atlas.js; layers of one model stand together, in order of execution."""
    parts = zip(layers, related.matrices, related.families, strict=True)
    models = groupby(parts, key=lambda part: part[0].model)
    names = _class_names(atlas)
    return {
        "name": atlas.manifest.get("name"),
        "updated": _newest(layers),
        "root": atlas.path.as_posix(),
        "chunk": CHUNK,
        "sheet": SHEET_SIDE,
        "state": totals(layers),
        "notes": notes,
        "probes": sorted(read_comparisons(atlas.paths)),
        "pictures": _pictures(atlas),
        "compare": command(atlas),
        "models": [_model(name, list(members), names, maps=related.maps.get(name, [])) for name, members in models],
        "lists": {kind: heading["count"] for kind, heading in related.lists.items()},
        "closest": related.lists.get("pairs", {}).get("first"),
        "images": {"root": "../", "ending": ""},
        "relations": _relations(atlas, layers),
    }


def words_of(atlas: Atlas, layers: list[SiteLayer]) -> tuple[str, str]:
    """The atlas's name, and a sentence on what it holds, for those who see a link to it."""
    features, models = sum(len(layer.channels) for layer in layers), dict.fromkeys(layer.model for layer in layers)
    networks = ", ".join(models)
    return str(
        atlas.manifest.get("name") or "Atlas"
    ), f"What {features:,} features of {networks or 'no network'} answer to, in pictures."


def _pictures(atlas: Atlas) -> dict[str, str]:
    """By probe, how many pictures it has, in words."""
    counts = {probe: facts.get("pictures") for probe, facts in read_comparisons(atlas.paths).items()}
    return {probe: pictures_in_words(count) for probe, count in counts.items() if isinstance(count, int)}


def totals(layers: list[SiteLayer]) -> dict[str, int]:
    """How many tasks are in each state."""
    return {name: sum(int((layer.states == code).sum()) for layer in layers) for code, name in enumerate(STATES)}


def _newest(layers: list[SiteLayer]) -> str | None:
    """When the newest image was made; ISO 8601."""
    newest = max((images.newest for layer in layers for images in layer.sets), default=-inf)
    return None if newest == -inf else datetime.fromtimestamp(newest / 1e6, UTC).isoformat(timespec="seconds")


def _class_names(atlas: Atlas) -> Names:
    """By model and layer, the classes by channel, also of channels that nobody has asked for: they are rivals of others."""
    rows = atlas.sql("SELECT model, layer, channel, max(name) AS name FROM classes GROUP BY ALL ORDER BY ALL")
    names: Names = {}
    for model, layer, channel, name in zip(*(rows[column].to_pylist() for column in rows.column_names), strict=True):
        names.setdefault((model, layer), {})[channel] = name
    return names


def _model(name: str, layers: list[LayerParts], names: Names, *, maps: list[str]) -> Json:
    sets = sorted((images for layer, _, _ in layers for images in layer.sets), key=lambda images: -images.newest)
    return {
        "name": name,
        "path": safe(name),
        "weights": list(dict.fromkeys(weights for images in sets for weights in sorted(images.weights) if weights)),
        "recipes": list(dict.fromkeys(images.recipe for images in sets if images.recipe)),
        "maps": {probe: safe(probe) for probe in maps},
        "layers": [
            {**_layer(layer, measures, names.get((name, layer.name), {})), "families": families}
            for layer, measures, families in layers
        ],
    }


def _layer(layer: SiteLayer, measures: list[str], names: dict[int, str]) -> Json:
    return {
        "name": layer.name,
        "path": layer.path,
        "channels": ranges(layer.channels),
        "names": {str(channel): name for channel, name in {**names, **layer.names}.items()},
        "state": "".join(LETTERS[STATES[code]] for code in layer.best.tolist()),
        "sets": [{name: getattr(images, name) for name in SET} for images in layer.sets],
        "stands": _stands(layer),
        "loses": layer.loses,
        "cell": layer.cell,
        "samples": layer.channels[samples(layer)].tolist(),
        "measures": measures,
    }


def _stands(layer: SiteLayer) -> Json:
    """By channel, the number of the set that stands for it, its first where none has an image; only where that is not 0."""
    sets = np.where(layer.stands < 0, (layer.chosen >= 0).argmax(0), layer.set_of[layer.stands])
    return {str(layer.channels[position]): int(sets[position]) for position in np.flatnonzero(sets)}


def ranges(channels: np.ndarray) -> list[list[int]]:
    """Runs of consecutive channels: the first and the last of each."""
    parts = np.split(channels, np.flatnonzero(np.diff(channels) != 1) + 1)
    return [[int(part[0]), int(part[-1])] for part in parts if len(part)]


def _relations(atlas: Atlas, layers: list[SiteLayer]) -> Json:
    """By probe, for each pair of layers their numbers and how alike they are."""
    numbering = {(layer.model, layer.name): number for number, layer in enumerate(layers)}
    rows = atlas.sql("FROM layers ORDER BY probe, model_a, layer_a, model_b, layer_b")
    sides = [zip(rows[f"model_{side}"].to_pylist(), rows[f"layer_{side}"].to_pylist(), strict=True) for side in "ab"]
    values = zip(*(listed(numbers(rows[name])) for name in RELATED), strict=True)
    relations: Json = {}
    for probe, a, b, scores in zip(rows["probe"].to_pylist(), *sides, values, strict=True):
        if a in numbering and b in numbering:
            relations.setdefault(probe, []).append([numbering[a], numbering[b], *scores])
    return {probe: sorted(pairs, key=lambda pair: pair[:2]) for probe, pairs in relations.items()}
