"""data/atlas.js: what the first page shows, and where all else lies."""

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import groupby
from math import inf
from typing import NamedTuple

import numpy as np

from atlas.query.atlas import Atlas
from atlas.query.shell import Note
from atlas.query.tables_known import command
from atlas.report.site.numbers import listed, numbers
from atlas.report.site.script import Json
from atlas.report.site.site_layer import CHUNK, LETTERS, SIDE, STATES, SiteLayer
from atlas.report.site.sprites import samples
from atlas.store.comparisons import read_comparisons
from atlas.store.paths import safe

RELATED = ("cka", "cka_baseline", "best_match", "best_match_baseline", "mutual_share", "mutual_share_baseline")
SET = ("key", "metric", "target", "seed", "recipe", "variant", "folder", "suffix")


class RelatedFiles(NamedTuple):
    """What was written beside the layers' own files."""

    matrices: Sequence[list[str]]  # of each layer the measures that have one
    maps: set[str]  # models that have one


def overview(atlas: Atlas, layers: list[SiteLayer], related: RelatedFiles, notes: list[Note]) -> Json:
    told = list(zip(layers, related.matrices, strict=True))
    models = groupby(told, key=lambda pair: pair[0].model)
    return {
        "name": atlas.manifest.get("name"),
        "updated": _newest(layers),
        "root": atlas.path.as_posix(),
        "chunk": CHUNK,
        "sheet": SIDE,
        "state": totals(layers),
        "notes": notes,
        "probes": sorted(read_comparisons(atlas.paths)),
        "compare": command(atlas),
        "models": [_model(name, list(mine), name in related.maps) for name, mine in models],
        "relations": _relations(atlas, layers),
    }


def totals(layers: list[SiteLayer]) -> dict[str, int]:
    """Tasks by state."""
    return {name: sum(int((layer.states == code).sum()) for layer in layers) for code, name in enumerate(STATES)}


def _newest(layers: list[SiteLayer]) -> str | None:
    """When the newest image was made; ISO 8601."""
    made = max((one.newest for layer in layers for one in layer.sets), default=-inf)
    return None if made == -inf else datetime.fromtimestamp(made / 1e6, UTC).isoformat(timespec="seconds")


def _model(name: str, layers: list[tuple[SiteLayer, list[str]]], mapped: bool) -> Json:
    sets = sorted((one for layer, _ in layers for one in layer.sets), key=lambda one: -one.newest)
    return {
        "name": name,
        "path": safe(name),
        "weights": list(dict.fromkeys(weights for one in sets for weights in sorted(one.weights) if weights)),
        "recipes": list(dict.fromkeys(one.recipe for one in sets if one.recipe)),
        "map": mapped,
        "layers": [_layer(layer, measures) for layer, measures in layers],
    }


def _layer(layer: SiteLayer, measures: list[str]) -> Json:
    return {
        "name": layer.name,
        "path": layer.path,
        "channels": ranges(layer.channels),
        "state": "".join(LETTERS[STATES[code]] for code in layer.best.tolist()),
        "sets": [{name: getattr(one, name) for name in SET} for one in layer.sets],
        "stands": _stands(layer),
        "cell": layer.cell,
        "samples": layer.channels[samples(layer)].tolist(),
        "measures": measures,
    }


def _stands(layer: SiteLayer) -> Json:
    """By channel the set of the image that stands for it, where it is not the first set."""
    shown = np.where(layer.stands < 0, 0, layer.set_of[layer.stands])
    return {str(layer.channels[place]): int(shown[place]) for place in np.flatnonzero(shown)}


def ranges(channels: np.ndarray) -> list[list[int]]:
    """Runs of consecutive channels: the first and the last of each."""
    parts = np.split(channels, np.flatnonzero(np.diff(channels) != 1) + 1)
    return [[int(part[0]), int(part[-1])] for part in parts if len(part)]


def _relations(atlas: Atlas, layers: list[SiteLayer]) -> Json:
    """By probe, of each pair of layers how they are alike."""
    number = {(layer.model, layer.name): place for place, layer in enumerate(layers)}
    rows = atlas.sql("FROM layers ORDER BY probe, model_a, layer_a, model_b, layer_b")
    sides = [zip(rows[f"model_{side}"].to_pylist(), rows[f"layer_{side}"].to_pylist(), strict=True) for side in "ab"]
    values = zip(*(listed(numbers(rows[name])) for name in RELATED), strict=True)
    found: Json = {}
    for probe, a, b, told in zip(rows["probe"].to_pylist(), *sides, values, strict=True):
        if a in number and b in number:
            found.setdefault(probe, []).append([number[a], number[b], *told])
    return {probe: sorted(pairs, key=lambda pair: pair[:2]) for probe, pairs in found.items()}
