"""What each column of an atlas's tables holds, in a sentence: for the files' own metadata, and for `describe`."""

from pathlib import Path

import pyarrow as pa

KEY = b"description"  # of a field's metadata

# by name, wherever a column of that name means the same
COLUMNS = {
    "activation": "mean activation of every channel of the layer on the finished image",
    "attempts": "how often it was tried",
    "auc": "how well the pictures of the name are told from all others by this feature's responses; 0.5 is chance",
    "baseline": "the score that the same rank has against rotated copies of the layers, where no channel means anything",
    "best_match": "mean over layer_a's features of the highest profile score in layer_b",
    "best_match_baseline": "the same against rotated copies of layer_b",
    "channel": "number of the channel in its layer, from 0",
    "cka": "linear CKA of the two layers (Kornblith 2019), 0 to 1",
    "cka_baseline": "the same against a rotated copy: the same number, as CKA sees no single channel",
    "created": "when the row was made, UTC",
    "device": "cpu, or the name of the GPU",
    "dst": "address of the neighbor, model/layer:channel",
    "dst_channel": "channel of dst",
    "dst_image": "image that stands for dst, relative to the atlas",
    "dst_layer": "layer of dst",
    "dst_model": "model of dst",
    "dst_name": "name of dst",
    "error_message": "what went wrong",
    "error_type": "kind of the error",
    "excess": "how far the score goes beyond its baseline; at 0 or below, chance does as well",
    "family": "group of like features within a layer, from 0, in the order of place",
    "feature": "address, model/layer:channel",
    "features_a": "live features of layer_a that were compared",
    "features_b": "live features of layer_b that were compared",
    "heat": "the channel's map on the picture by rows, at most 14 x 14; 255 its highest value, 0 its mean and below",
    "heat_width": "columns of heat",
    "height": "pixels",
    "highest": "the three highest responses, highest first",
    "image": "path of the picture, relative to the atlas",
    "image_sha256": "SHA-256 of the image file",
    "layer": "dotted name of the module",
    "layer_a": "layer of the first side",
    "layer_b": "layer of the second side",
    "layer_index": "place of the layer in order of execution, from 0",
    "loss": "what was minimised, on the finished image",
    "max": "highest activation over the map",
    "mean": "mean activation over the map",
    "measure": "how features are compared: raw, z, drive, sym or profile (docs/similarity.md)",
    "metric": "how far the target is from its constant: l1, l2, linf or mean",
    "model": "name of the network",
    "model_a": "network of the first side",
    "model_b": "network of the second side",
    "mu": "mean of the feature's responses over the probe's pictures",
    "mutual": "whether each stands in the other's list",
    "mutual_share": "of layer_a's features, those that are the best match of their best match",
    "mutual_share_baseline": "the same against rotated copies",
    "name": "the class that the feature stands for, or the label whose pictures drive it beyond chance; NULL: neither",
    "p": "how likely chance does as well, over all labels",
    "partner": "counterpart one to one, in the layer of model_b with the highest CKA; NULL: none was left",
    "partner_score": "profile score of partner",
    "path": "path of the image file",
    "picture": "identity of the picture: a task of the atlas, a file's name and stamp, or a drawing's seed and number",
    "place": "place in the clustered order of the layer, from 0",
    "precision": "of the arithmetic: float32, tf32 or bfloat16",
    "probe": "the set of pictures that were looked at",
    "rank": "place in the list, from 1",
    "rank_rev": "rank of src in dst's list of the same scope; NULL: not in it",
    "recipe": "name of the way in which the image was made",
    "runner_up": "the label of the next highest auc",
    "runner_up_auc": "auc of runner_up",
    "scope": "whom a feature is compared with: layer, model, other (each other model) or all",
    "score": "mean activation of the target on the finished image",
    "score_rev": "the same measure from dst to src",
    "score_start": "mean activation of the target on the noise that the image began as",
    "seconds": "the image's share of the time that its batch took",
    "seed": "of the noise that the image began as",
    "self_rank": "1 + images of the layer's other features that drive this channel more; 1 is best",
    "self_z": "by how many deviations the image drives its channel more than other images do",
    "shard": "the part of the plan that was made together",
    "side": "pixels of the square that the network was shown; the box is in these",
    "sigma": "deviation of the feature's responses",
    "sign": "1: nearest; -1: most opposite",
    "source": "where the picture lay, relative to the probe's folder; of a drawing, its seed and number",
    "src": "address of the feature whose neighbors these are",
    "src_channel": "channel of src",
    "src_layer": "layer of src",
    "src_model": "model of src",
    "state": "ok, dead, failed or left",
    "status": "ok, or dead: no gradient reaches the image",
    "step": "step of the optimisation",
    "steps": "of the optimisation",
    "target": "which part of the channel's map was driven",
    "task": "identity of the image: a hash of all that reaches a pixel",
    "trace": "score along the way",
    "traceback": "where it went wrong, for who mends it",
    "weights": "where the network's weights came from, and their digest",
    "width": "pixels",
    "x": "column of the strongest place in the channel's map, from 0",
    "x0": "left edge of the strongest place's receptive field",
    "x1": "its right edge, outside",
    "y": "row of the strongest place in the channel's map, from 0",
    "y0": "upper edge of the strongest place's receptive field",
    "y1": "its lower edge, outside",
}
# by view, where the same name means something else
OF_VIEW = {
    "examples": {"height": "rows of the channel's map", "width": "columns of the channel's map"},
    "layout": {"x": "place on the plane, 0 to 1", "y": "place on the plane, 0 to 1"},
    "matches": {
        "score": "profile score of dst",
        "src": "the feature",
        "dst": "its best match anywhere in model_b",
        "mutual": "whether each is the other's best match",
        "baseline": "the best match in rotated copies of model_b's layers",
        "excess": "score - baseline",
    },
    "neighbors": {"score": "of dst as seen from src, by the measure"},
    "neighbors_named": {"score": "of dst as seen from src, by the measure"},
    "pairs": {"score": "of dst as seen from src, by the measure"},
    "responses": {
        "feature": "the feature that the picture was made for; NULL for a picture found or drawn",
        "image": "where the picture lies, relative to the atlas or to the probe's folder",
        "max": "of every channel of the layer, over its map",
        "mean": "of every channel of the layer, over its map",
    },
    "traces": {"activation": "mean activation of every channel of the layer at this step"},
    "tasks": {"recipe": "name of the way in which the image is made"},
}


def description(column: str, view: str = "") -> str | None:
    """What a column holds, in the table of a view; None where it explains itself."""
    return OF_VIEW.get(view, {}).get(column, COLUMNS.get(column))


def table_name(path: Path) -> str:
    """The name of the table that a file belongs to: its own, or that of the folder above all `column=value`."""
    folder = next(folder for folder in path.parents if "=" not in folder.name)
    return path.stem if folder == path.parent else folder.name


def described(schema: pa.Schema, view: str = "") -> pa.Schema:
    """The same columns, each with its description as metadata."""
    fields = [(field, description(field.name, view)) for field in schema]
    return pa.schema([field.with_metadata({KEY: text}) if text else field for field, text in fields], schema.metadata)
