"""Similarity tables of a made atlas: its live features stand on circles,
as like as the cosine of their angle.

So every number follows from two places on a circle: lists are right, reverse ranks agree,
and any size is made fast.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from atlas.query.atlas import Atlas
from atlas.records import MEASURES, SCOPES, Address
from atlas.store.files import write_json
from atlas.store.index import Row, write_rows
from atlas.store.paths import AtlasPaths
from atlas.store.similarity_tables import (
    CLUSTERS,
    EXAMPLES,
    LAYERS,
    LAYOUT,
    MATCHES,
    MOMENTS,
    NAMES,
    NEIGHBORS,
    QUALITY,
    RESPONSES,
)

WHEN = "2026-01-03T00:00:00+00:00"  # a day after the images of a made atlas
GROUP_ROWS = 20_000
FACTOR = {"raw": 3.0, "z": 4.0, "drive": 0.9, "sym": 5.0, "profile": 1.0}  # of the cosine, so that measures differ


@dataclass(frozen=True)
class Sizes:
    """How much is written."""

    top: int = 20
    bottom: int = 5
    scopes: Sequence[str] = SCOPES
    measures: Sequence[str] = MEASURES
    probe: str = "atlas"


@dataclass(frozen=True)
class Pairs:
    """Neighbors of one scope before a measure gives them scores; features are numbers in a sorted list of addresses."""

    src: np.ndarray
    dst: np.ndarray
    sign: np.ndarray
    rank: np.ndarray
    rank_rev: np.ndarray  # 0: not in the list
    cosine: np.ndarray


def write_similarity(paths: AtlasPaths, sizes: Sizes | None = None) -> None:
    """Write every table that `atlas similarity` does, but for maps and responses."""
    sizes = sizes or Sizes()
    with Atlas(paths.root) as atlas:
        live = atlas.sql("""
            SELECT model, layer, channel, task, image FROM features WHERE status = 'ok'
            QUALIFY row_number() OVER (PARTITION BY feature ORDER BY metric, seed, created DESC) = 1
            ORDER BY model, layer_index, layer, channel""").to_pylist()
        tasks = atlas.sql("SELECT task, feature FROM features WHERE status = 'ok'").to_pylist()
    features = [Address(row["model"], row["layer"], row["channel"]) for row in live]
    write_neighbors(paths, features, sizes)
    write_relations(paths, features, sizes.probe)
    write_rows(paths.quality, [{**row, "self_rank": 1, "self_z": 4.5} for row in tasks], QUALITY)
    write_moments(paths, features)
    write_examples(paths, live)
    write_responses(paths, live, features)
    state = {"mark": "made", "when": WHEN, "features": len(features), "pictures": len(tasks), "missing": {}}
    state |= {"measures": list(sizes.measures), "scopes": list(sizes.scopes), "top": sizes.top, "bottom": sizes.bottom}
    others = json.loads(paths.similarity.read_text()) if paths.similarity.exists() else {}
    write_json(paths.similarity, {**others, sizes.probe: state})


def write_neighbors(paths: AtlasPaths, features: Sequence[Address], sizes: Sizes) -> None:
    names = sorted(str(feature) for feature in features)
    numbers = {name: number for number, name in enumerate(names)}
    for scope in sizes.scopes:
        rings = [np.array([numbers[name] for name in ring]) for ring in _rings(features, scope)]
        pairs = _sorted([_circle(ring, sizes, 2 if scope == "other" else 1) for ring in rings])
        for measure in sizes.measures:
            if pairs is not None:
                table = _table(names, pairs, measure, sizes.probe)
                _write_groups(paths.neighbor_table(scope, measure, sizes.probe), table)


def _rings(features: Sequence[Address], scope: str) -> Iterator[list[str]]:
    """Whom a scope compares. Two models are one ring in turns, where every second one is of the other."""
    keys = {"layer": lambda feature: feature[:2], "model": lambda feature: feature[:1], "all": lambda feature: ()}
    if scope != "other":
        for _, ring in groupby(features, keys[scope]):
            yield [str(feature) for feature in ring]
        return
    models = {
        model: [str(feature) for feature in ring] for model, ring in groupby(features, lambda feature: feature.model)
    }
    for a, b in ((a, b) for a in models for b in models if a < b):
        yield [name for pair in zip(models[a], models[b], strict=False) for name in pair]


def _circle(ring: np.ndarray, sizes: Sizes, stride: int) -> Pairs:
    """The lists of a ring, of two at the same distance the lower address first; stride 2 leaves out one's own model."""
    count = len(ring)
    apart = list(range(1, count // 2 + 1, stride))
    parts = []
    for sign, steps in ((1, apart[: sizes.top // 2 + 1]), (-1, apart[::-1][: sizes.bottom // 2 + 1])):
        rank = 1
        for step in steps:
            here = np.arange(count)
            sides = [(here + step) % count] + ([(here - step) % count] if 2 * step != count else [])
            for number, other in enumerate(sides):
                later = _later(ring, other, sides[1 - number]) if len(sides) == 2 else 0
                back = _later(ring, here, (2 * other - here) % count) if len(sides) == 2 else 0
                ranks = rank + later + np.zeros(count, int)
                most = sizes.top if sign == 1 else sizes.bottom
                reverse = np.where(rank + back + np.zeros(count, int) <= most, rank + back, 0)
                keep = ranks <= most
                angle = np.full(count, np.cos(2 * np.pi * step / count))
                columns = (ring, ring[other], np.full(count, sign), ranks, reverse, angle)
                parts.append([column[keep] for column in columns])
            rank += len(sides)
    return Pairs(*(np.concatenate(column) for column in zip(*parts, strict=True))) if parts else _nothing()


def _later(ring: np.ndarray, here: np.ndarray, other: np.ndarray) -> np.ndarray:
    """1 where the address here comes after the other one."""
    return (ring[here] > ring[other]).astype(int)


def _nothing() -> Pairs:
    return Pairs(*(np.zeros(0, int) for _ in range(5)), np.zeros(0))


def _sorted(parts: Iterable[Pairs]) -> Pairs | None:
    whole = [np.concatenate(column) for column in zip(*(vars(part).values() for part in parts), strict=True)]
    if not whole or not len(whole[0]):
        return None
    order = np.lexsort((whole[3], -whole[2], whole[0]))
    return Pairs(*(column[order] for column in whole))


def _table(names: list[str], pairs: Pairs, measure: str, probe: str) -> pa.Table:
    words = pa.array(names)
    score = (FACTOR[measure] * pairs.cosine).astype(np.float32)
    columns = {
        "probe": pa.repeat(probe, len(score)),
        "src": words.take(pa.array(pairs.src)),
        "dst": words.take(pa.array(pairs.dst)),
        "sign": pairs.sign.astype(np.int8),
        "rank": pairs.rank.astype(np.int32),
        "score": score,
        "score_rev": score,
        "rank_rev": pa.array(pairs.rank_rev.astype(np.int32), mask=pairs.rank_rev == 0),
        "mutual": pairs.rank_rev > 0,
        "baseline": (score - 0.25 * FACTOR[measure]).astype(np.float32),
    }
    return pa.table([pa.array(columns[name]) for name in NEIGHBORS.names], schema=NEIGHBORS)


def _write_groups(path: Path, table: pa.Table) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path, compression="zstd", row_group_size=GROUP_ROWS, use_dictionary=["probe", "src", "dst"])


def write_relations(paths: AtlasPaths, features: Sequence[Address], probe: str) -> None:
    """layers, matches, clusters and layout: one ring for all."""
    layers = {key: len(list(ring)) for key, ring in groupby(features, lambda feature: feature[:2])}
    write_rows(paths.layers, [_layer_row(a, b, layers, probe) for a in layers for b in layers], LAYERS)
    models = {model: list(ring) for model, ring in groupby(features, lambda feature: feature.model)}
    matches = (_match_rows(models[a], models[b], probe) for a in models for b in models if a != b)
    write_rows(paths.matches, [row for rows in matches for row in rows], MATCHES)
    angles = 2 * np.pi * np.arange(len(features)) / max(len(features), 1)
    columns = [{"probe": probe, "feature": str(feature), **feature._asdict()} for feature in features]
    x, y = (0.5 + 0.5 * np.cos(angles)).tolist(), (0.5 + 0.5 * np.sin(angles)).tolist()
    write_rows(paths.layout, [{**row, "x": x[i], "y": y[i]} for i, row in enumerate(columns)], LAYOUT)
    order = [{**row, "measure": "sym", "place": row["channel"], "family": row["channel"] // 4} for row in columns]
    write_rows(paths.clusters, order, CLUSTERS)


def write_maps(paths: AtlasPaths, measures: Sequence[str] = ("sym", "profile")) -> None:
    """The matrices of all layers, and clusters of both measures: a layer's features on a circle, from the last back."""
    with Atlas(paths.root) as atlas:
        rows = atlas.sql("FROM clusters WHERE measure = 'sym' ORDER BY model, layer, place DESC").to_pylist()
    clusters: list[Row] = []
    for (model, layer), ring in groupby(rows, lambda row: (row["model"], row["layer"])):
        layer_rows = list(ring)
        angles = 2 * np.pi * np.arange(len(layer_rows), dtype=np.float32) / len(layer_rows)
        for measure in measures:
            path = paths.map(model, layer, measure)
            path.parent.mkdir(parents=True, exist_ok=True)
            np.save(path.with_name(f"{path.name}.npy"), FACTOR[measure] * np.cos(angles[:, None] - angles))
            np.save(path.with_name(f"{path.name}.order.npy"), np.array([row["channel"] for row in layer_rows]))
            clusters += [
                {**row, "measure": measure, "place": n, "family": 8 * n // len(layer_rows)}
                for n, row in enumerate(layer_rows)
            ]
    write_rows(paths.clusters, clusters, CLUSTERS)


def _layer_row(a: tuple, b: tuple, sizes: dict[tuple, int], probe: str) -> Row:
    same = float(a == b)
    return {
        "probe": probe,
        "model_a": a[0],
        "layer_a": a[1],
        "model_b": b[0],
        "layer_b": b[1],
        "features_a": sizes[a],
        "features_b": sizes[b],
        "cka": 0.5 + same / 2,
        "cka_baseline": 0.5 + same / 2,
        "best_match": 0.6 + 0.4 * same,
        "best_match_baseline": 0.5,
        "mutual_share": 0.4 + 0.6 * same,
        "mutual_share_baseline": 0.2,
    }


def _match_rows(mine: Sequence[Address], theirs: Sequence[Address], probe: str) -> Iterator[Row]:
    """The n-th feature of one model is like the n-th of the other; what has no such partner is like the first."""
    for place, feature in enumerate(mine):
        paired = place < len(theirs)
        score = 0.9 - 0.5 * place / len(mine)
        partner = str(theirs[place]) if paired else None
        yield {
            "probe": probe,
            "model_a": feature.model,
            "model_b": theirs[0].model,
            "src": str(feature),
            "dst": partner or str(theirs[0]),
            "score": score,
            "baseline": 0.3,
            "excess": score - 0.3,
            "mutual": paired,
            "partner": partner,
            "partner_score": score if paired else None,
        }


def write_examples(paths: AtlasPaths, live: Sequence[Row], count: int = 4) -> None:
    """Pictures that drive each feature most: those of the features after it, out of a folder that is called natural.

    The first has a place, at the bottom left.
    """
    place = {"y": 1, "x": 0, "height": 2, "width": 2, "side": 32, "x0": 0, "y0": 16, "x1": 16, "y1": 32}
    place |= {"heat_width": 2, "heat": [0, 85, 255, 170]}
    rows = [
        {
            "probe": "natural",
            "feature": f"{row['model']}/{row['layer']}:{row['channel']}",
            **{key: row[key] for key in ("model", "layer", "channel")},
            "rank": rank,
            "mean": 1.0 / rank,
            "max": 2.0 / rank,
            "picture": f"{rank}",
            "source": f"{rank}.png",
            "image": live[(number + rank) % len(live)]["image"],
            **(place if rank == 1 else {}),
        }
        for number, row in enumerate(live[:200])
        for rank in range(1, count + 1)
    ]
    write_rows(paths.probe_examples("natural"), rows, EXAMPLES)


def write_moments(paths: AtlasPaths, features: Sequence[Address]) -> None:
    """What every feature does on the images of the atlas: the same."""
    same = {"probe": "atlas", "weights": "none(seed 0)@abc", "mu": 0.5, "sigma": 0.25, "highest": [1.0, 0.9, 0.8]}
    rows = [{"feature": str(feature), **feature._asdict(), **same} for feature in features]
    write_rows(paths.moments, rows, MOMENTS)


def write_label_names(paths: AtlasPaths) -> None:
    """Names by two probes: every third live feature has none by photographs, and each has another by drawings."""
    with Atlas(paths.root) as atlas:
        columns = "feature, model, layer, channel"
        live = atlas.sql(
            f"SELECT DISTINCT {columns}, layer_index FROM features WHERE status = 'ok' ORDER BY 2, 5, 3, 4"
        )
    features = [Address.parse(address) for address in live["feature"].to_pylist()]
    rows = [
        {
            "probe": probe,
            "feature": str(feature),
            **feature._asdict(),
            "weights": "none(seed 0)@abc",
            "name": label if named else None,
            "auc": 0.9 if named else 0.55,
            "p": 0.0005 if named else 0.4,
            "runner_up": "lion" if named else None,
            "runner_up_auc": 0.5,
        }
        for probe in ("natural", "patterns")
        for number, feature in enumerate(features)
        for label, named in [("zebra", number % 3 > 0) if probe == "natural" else ("dots", True)]
    ]
    write_rows(paths.names, rows, NAMES)


def write_losing(paths: AtlasPaths, winners: dict[Address, tuple[int, ...]]) -> None:
    """Features of one layer whose own images lose to those of other channels, the first of which drives each most."""
    quality = pq.read_table(paths.quality).to_pylist()
    ranks = {str(feature): 1 + len(others) for feature, others in winners.items()}
    rows = [{**row, "self_rank": ranks.get(row["feature"], row["self_rank"])} for row in quality]
    write_rows(paths.quality, rows, QUALITY)
    (model, layer), *_ = {feature[:2] for feature in winners}
    channels = sorted({feature.channel for feature in winners} | {one for others in winners.values() for one in others})
    responses = []
    for channel in channels:
        mean = [0.5] * (max(channels) + 1)
        for feature, others in winners.items():
            if channel in others:
                mean[feature.channel] = 2.0 - 0.1 * others.index(channel)
        made_for = Address(model, layer, channel)
        responses.append({"probe": "atlas", "model": model, "layer": layer, "layer_index": 0, "picture": str(made_for)})
        responses[-1] |= {"feature": str(made_for), "mean": mean, "max": mean}
    write_rows(paths.layer_responses("atlas", model, layer) / "losing.parquet", responses, RESPONSES)


def write_responses(paths: AtlasPaths, live: Sequence[Row], features: Sequence[Address]) -> None:
    """What the first pictures do to every layer."""
    for (model, layer), ring in groupby(features, lambda feature: feature[:2]):
        width = len(list(ring))
        rows = [
            {
                "probe": "atlas",
                "model": model,
                "layer": layer,
                "layer_index": 0,
                "picture": row["task"],
                "image": row["image"],
                "feature": str(Address(row["model"], row["layer"], row["channel"])),
                "mean": [0.5] * width,
                "max": [1.0] * width,
            }
            for row in live[:2]
        ]
        write_rows(paths.layer_responses("atlas", model, layer) / "0.parquet", rows, RESPONSES)
