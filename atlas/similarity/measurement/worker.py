"""A worker's share of a bank: reads the responses of layers, measures each, leaves files, and returns a receipt."""

from time import perf_counter

import numpy as np
from jaxtyping import Float32

from atlas.engine.memory import peak
from atlas.records import Address, Receipt
from atlas.similarity.compare.bank import write_layer
from atlas.similarity.compare.facts import Facts, measure_layer
from atlas.similarity.compare.spans import LayerSpan, spans_of
from atlas.similarity.measurement.layer_tables import LayerTables
from atlas.similarity.measurement.settings import LayerShard, MeasurementSettings
from atlas.similarity.probe.responses import read_layer
from atlas.similarity.tables.examples import TopPictures, most_driving
from atlas.similarity.tables.layer_features import LayerFeatures
from atlas.similarity.tables.moments import moment_rows
from atlas.similarity.tables.names import name_rows
from atlas.similarity.tables.quality import marks, quality_rows
from atlas.store.damaged_file import DamagedFile
from atlas.store.paths import AtlasPaths


def measure_shard(settings: MeasurementSettings, shard: LayerShard) -> Receipt:
    """Measure each layer. Where two workers are sent the same one, the later files, which are equal, stay."""
    began = perf_counter()
    numbers = {span: number for number, span in enumerate(spans_of(settings.roles.features))}
    for span in shard.items:
        try:
            _measure(settings, numbers[span], span)
        except DamagedFile as error:
            # no storage that comes back if one waits
            raise RuntimeError(str(error)) from error
    return Receipt.of_all(shard, perf_counter() - began, peak(settings.device))


def _measure(settings: MeasurementSettings, number: int, span: LayerSpan) -> None:
    values = _responses(settings, span)
    measurement = measure_layer(span, values, settings.roles, settings.seed)
    _layer_tables(settings, span, values, measurement.facts).write(settings.bank, number)
    write_layer(settings.bank, number, measurement)


def _layer_tables(
    settings: MeasurementSettings, span: LayerSpan, values: Float32[np.ndarray, "n c"], facts: Facts
) -> LayerTables:
    addresses = tuple(settings.roles.features[span.features])
    features = LayerFeatures(settings.probe, settings.weights[span.model], addresses, facts.alive)
    moments = moment_rows(features, facts, values)
    if settings.roles.own_images:
        of_images = marks(span, values, facts, settings.roles.made_for)
        return LayerTables(moments, quality=quality_rows(of_images, settings.pictures, settings.roles))
    names = name_rows(features, values, settings.labels[span.model])
    return LayerTables(moments, names=names, tops=_tops(settings, span, values, facts))


def _tops(
    settings: MeasurementSettings, span: LayerSpan, values: Float32[np.ndarray, "n c"], facts: Facts
) -> TopPictures | None:
    if not settings.examples:
        return None
    maxima = _responses(settings, span, "max")
    addresses = list(settings.roles.features[span.features])
    return most_driving(addresses, values, maxima, settings.examples, alive=facts.alive)


def _responses(settings: MeasurementSettings, span: LayerSpan, column: str = "mean") -> Float32[np.ndarray, "n c"]:
    """A layer's responses to the pictures of the probe, which the atlas holds."""
    folder = AtlasPaths(settings.root).layer_responses(settings.probe, span.model, span.layer)
    channels = [Address.parse(address).channel for address in settings.roles.features[span.features]]
    rows = {picture: row for row, picture in enumerate(settings.pictures)}
    return read_layer(folder, rows, channels, weights=settings.weights[span.model], column=column)
