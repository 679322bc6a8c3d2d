"""`atlas layers` and `atlas.layers`: what there is to look at in a model, as a table."""

from collections.abc import Sequence

import pyarrow as pa
import torch
from torch import nn

from atlas.config.compose import compose_model
from atlas.records import Layer
from atlas.zoo.card import layer_table, stages
from atlas.zoo.forward import in_eval_mode
from atlas.zoo.layers import walk

SCHEMA = pa.schema(
    [
        ("layer", pa.string()),
        ("index", pa.int64()),
        ("type", pa.string()),
        ("channels", pa.int64()),
        ("height", pa.int64()),
        ("width", pa.int64()),
        ("zone", pa.string()),
        ("gmac", pa.float64()),
        ("default", pa.bool_()),
    ]
)


def layers(
    model: nn.Module | str, *, every: bool = False, input_size: int = 224, config_dir: str | None = None
) -> pa.Table:
    """The layers of a model, in order of execution; weights are not needed.

    Args:
        model: a network, which is left as it is, or the name of one that `model=` knows, as "resnet50".
        every: all layers, not only those that `layers: default` takes.
        input_size: pixels, one side, of the images that a network is shown; a named model knows its own.
        config_dir: a folder with model files of one's own, as the jobs' --config-dir.

    Returns:
        Columns layer, index, type, channels, height and width of the map, zone, gmac (10⁹ multiply-adds from the input
        to here) and default (whether `layers: default` takes it).

    Raises:
        ConfigError: there is no such model; the message names the nearest ones.
    """
    if isinstance(model, str):
        layers, chosen = layer_table(model, compose_model(model, config_dir))
    else:
        like = next(model.parameters(), torch.empty(0))
        images = torch.zeros(2, 3, input_size, input_size, device=like.device, dtype=like.dtype)
        with in_eval_mode(model):
            layers = walk(model, images)
        chosen = stages(model, layers)
    rows = [_row(layer, chosen) for layer in layers if every or layer.name in chosen]
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def _row(layer: Layer, chosen: Sequence[str]) -> dict[str, object]:
    return {
        "layer": layer.name,
        "index": layer.index,
        "type": layer.kind,
        "channels": layer.channels,
        "height": layer.height,
        "width": layer.width,
        "zone": layer.zone,
        "gmac": round(layer.macs / 1e9, 4),
        "default": layer.name in chosen,
    }
