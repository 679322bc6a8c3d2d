"""`atlas layers` and `atlas.layers`: what there is to look at in a model, as a table."""

from collections.abc import Sequence

import pyarrow as pa
from torch import nn

from atlas.config.compose import compose_model
from atlas.records import Layer
from atlas.torch_state import own_torch_state
from atlas.zoo.card import layer_table, stages
from atlas.zoo.foreign import like, unwrapped
from atlas.zoo.forward import in_eval_mode
from atlas.zoo.input_channels import picture_channels
from atlas.zoo.layers import walk

UNKNOWN = "unknown layout"  # in place of a type

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
        ("calls", pa.int64()),
        ("aliases", pa.string()),
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
        to here), default (whether `layers: default` takes it), calls (in a forward pass; the second is the layer
        `name#2`) and aliases (further names of the same module). With `every`, also modules of an unknown layout, which
        have no channels and cannot be asked for.

    Raises:
        ConfigError: there is no such model; the message names the nearest ones.
    """
    if isinstance(model, str):
        walked, chosen = layer_table(model, compose_model(model, config_dir))
    else:
        with own_torch_state(), in_eval_mode(unwrapped(model)) as net:
            channels = picture_channels(net, input_size, like(net))
            walked = walk(net, like(net).new_zeros(2, channels, input_size, input_size))
            chosen = stages(net, walked.layers)
    rows = [_row(layer, chosen) for layer in walked.layers if every or layer.name in chosen]
    rows += [{"layer": name, "type": UNKNOWN} for name in walked.unknown if every]
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
        "calls": layer.calls,
        "aliases": ", ".join(layer.aliases),
    }
