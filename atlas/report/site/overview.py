"""data/atlas.js: what the first page shows, and where all else lies."""

from collections.abc import Mapping
from itertools import groupby
from typing import Any, NamedTuple

import numpy as np

from atlas.query.atlas import Atlas
from atlas.report.site.details import CHUNK
from atlas.report.site.image_sets import ImageSet
from atlas.report.site.layers import STATES, Layer
from atlas.report.site.numbers import listed, numbers
from atlas.report.site.sprites import SIDE, samples
from atlas.store.compared import read_compared
from atlas.store.paths import safe

TOLD = ("when", "pictures", "features", "measures", "scopes")  # of similarity.json
RELATED = ("cka", "cka_baseline", "best_match", "best_match_baseline", "mutual_share", "mutual_share_baseline")
SET = ("key", "metric", "target", "seed", "recipe", "variant", "folder", "suffix")
Json = dict[str, Any]


class Related(NamedTuple):
    """What was found of a layer beside its images."""

    measures: list[str]  # those with a matrix
    families: int | None


def overview(atlas: Atlas, layers: list[Layer], related: list[Related], notes: list[str]) -> Json:
    told = {name: atlas.manifest.get(name) for name in ("name", "created", "updated", "versions")}
    known = dict(zip((layer.path for layer in layers), related, strict=True))
    models = groupby(layers, key=lambda layer: layer.model)
    return {
        **told,
        "root": atlas.path.as_posix(),
        "chunk": CHUNK,
        "sheet": SIDE,
        "state": _sum(layers),
        "notes": notes,
        "probes": {
            probe: {name: said.get(name) for name in TOLD} for probe, said in read_compared(atlas.paths).items()
        },
        "models": [_model(atlas, name, list(mine), known) for name, mine in models],
        "relations": _relations(atlas, layers),
    }


def _model(atlas: Atlas, name: str, layers: list[Layer], related: Mapping[str, Related]) -> Json:
    sets = sorted((one for layer in layers for one in layer.sets), key=lambda one: -one.newest)
    return {
        "name": name,
        "path": safe(name),
        "weights": list(dict.fromkeys(weights for one in sets for weights in sorted(one.weights) if weights)),
        "recipes": list(dict.fromkeys(one.recipe for one in sets if one.recipe)),
        "counts": _sum(layers),
        "map": atlas.paths.site_map(name).is_file(),
        "layers": [_layer(layer, related[layer.path]) for layer in layers],
    }


def _layer(layer: Layer, related: Related) -> Json:
    return {
        "name": layer.name,
        "path": layer.path,
        "index": layer.index,
        "width": layer.width,
        "channels": ranges(layer.channels),
        "counts": counts(layer),
        "features": _by_state(layer.best),
        "sets": [_set(one, int((rows >= 0).sum())) for one, rows in _made(layer)],
        "stands": _stands(layer),
        "cell": layer.cell,
        "samples": layer.channels[samples(layer)].tolist(),
        **related._asdict(),
    }


def _made(layer: Layer) -> list[tuple[ImageSet, np.ndarray]]:
    """Each set with the rows of its images."""
    there = layer.rows["image"].is_valid().to_numpy()
    return [
        (one, np.where((rows >= 0) & there[rows], rows, -1)) for one, rows in zip(layer.sets, layer.chosen, strict=True)
    ]


def _set(one: ImageSet, count: int) -> Json:
    return {**{name: getattr(one, name) for name in SET}, "count": count}


def counts(layer: Layer) -> Json:
    """Tasks by state."""
    return {"planned": len(layer.rows), **_by_state(layer.states)}


def _by_state(states: np.ndarray) -> Json:
    return dict(zip(STATES, np.bincount(states, minlength=len(STATES)).tolist(), strict=True))


def _sum(layers: list[Layer]) -> Json:
    found = [counts(layer) for layer in layers]
    return {name: sum(one[name] for one in found) for name in ("planned", *STATES)}


def _stands(layer: Layer) -> Json:
    """By channel the set of the image that stands for it, where it is not the first set."""
    shown = np.where(layer.stands < 0, 0, layer.set_of[layer.stands])
    return {str(layer.channels[place]): int(shown[place]) for place in np.flatnonzero(shown)}


def ranges(channels: np.ndarray) -> list[list[int]]:
    """Runs of consecutive channels: the first and the last of each."""
    parts = np.split(channels, np.flatnonzero(np.diff(channels) != 1) + 1)
    return [[int(part[0]), int(part[-1])] for part in parts if len(part)]


def _relations(atlas: Atlas, layers: list[Layer]) -> Json:
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
