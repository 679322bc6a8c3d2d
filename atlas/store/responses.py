"""The tables of what pictures do to channels: one row for each picture and layer, and the pictures that do most."""

import pyarrow as pa

from atlas.store.index import FOLDER

RESPONSES = pa.schema(
    [
        ("probe", FOLDER),  # which set of pictures: atlas, natural, patterns, or a name of one's own
        ("model", FOLDER),  # that looked at the picture
        ("layer", FOLDER),
        ("layer_index", pa.int32()),
        (
            "picture",
            pa.string(),
        ),  # identity: the task of an image of the atlas; name and stamp of a file; seed and number
        ("image", pa.string()),  # where the picture lies: relative to the atlas, or to the probe's folder
        ("feature", pa.string()),  # address of the feature that it was made for; NULL for a picture found or drawn
        ("weights", pa.string()),  # of the model: where from, and the digest
        ("mean", pa.list_(pa.float32())),  # over the map, of every channel of the layer
        ("max", pa.list_(pa.float32())),
    ]
)
EXAMPLES = pa.schema(
    [
        ("probe", FOLDER),
        ("feature", pa.string()),
        ("model", pa.string()),
        ("layer", pa.string()),
        ("channel", pa.int32()),
        ("rank", pa.int32()),  # 1: the picture with the highest mean activation
        ("mean", pa.float32()),
        ("max", pa.float32()),
        ("picture", pa.string()),
        ("source", pa.string()),  # where it lay: relative to the probe's folder
        ("image", pa.string()),  # the copy that was kept, relative to the atlas
    ]
)
