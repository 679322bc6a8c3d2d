"""Schemas of the tables that `atlas similarity` writes (docs/similarity.md).

They say what pictures do to channels and, made from that, how features, layers and models relate.
"""

import pyarrow as pa

TOP, BOTTOM = 1, -1  # column `sign`
FEATURE = [("feature", pa.string()), ("model", pa.string()), ("layer", pa.string()), ("channel", pa.int32())]

# One row for each picture and layer.
RESPONSES = pa.schema(
    [
        ("probe", pa.string()),  # which set of pictures: atlas, natural, photographs, patterns, or a name of one's own
        ("model", pa.string()),  # that looked at the picture
        ("layer", pa.string()),
        ("layer_index", pa.int32()),
        # identity: the task of an image of the atlas; name and stamp of a file; seed and number
        ("picture", pa.string()),
        ("image", pa.string()),  # where the picture lies: relative to the atlas, or to the probe's folder
        ("feature", pa.string()),  # address of the feature that it was made for; NULL for a picture found or drawn
        ("weights", pa.string()),  # of the model: where from, and the digest
        ("mean", pa.list_(pa.float32())),  # over the map, of every channel of the layer
        ("max", pa.list_(pa.float32())),
    ]
)

# Where on a picture a channel is driven most. NULL: the layer's maps have one position, or are tokens.
PLACE = [
    ("y", pa.int32()),  # of the highest value of the channel's map: its row and column, from 0
    ("x", pa.int32()),
    ("height", pa.int32()),  # of the map
    ("width", pa.int32()),
    ("side", pa.int32()),  # pixels of the square that the model was shown; the box is in these
    ("x0", pa.int32()),  # the receptive field of that position: x0 ≤ x < x1, y0 ≤ y < y1
    ("y0", pa.int32()),
    ("x1", pa.int32()),
    ("y1", pa.int32()),
    ("heat_width", pa.int32()),
    # the map by rows, pooled to 14 x 14 at most; 255: its highest value, 0: its mean and below
    ("heat", pa.list_(pa.uint8())),
]

# Under places/: the pictures of a shard that drive each channel of a layer most, and where.
PLACES = pa.schema(
    [
        ("probe", pa.string()),
        ("model", pa.string()),
        ("layer", pa.string()),
        ("channel", pa.int32()),
        ("picture", pa.string()),
        ("weights", pa.string()),  # of the model: where from, and the digest
        *PLACE,
    ]
)

# The pictures that drive each feature most. An atlas of an earlier version lacks the columns of PLACE.
EXAMPLES = pa.schema(
    [
        ("probe", pa.string()),
        *FEATURE,
        ("rank", pa.int32()),  # 1: the picture with the highest mean activation
        ("mean", pa.float32()),
        ("max", pa.float32()),
        ("picture", pa.string()),
        ("source", pa.string()),  # where it lay: relative to the probe's folder; of a drawing, its seed and number
        ("image", pa.string()),  # the copy that was kept, relative to the atlas
        *PLACE,
    ]
)

# Under scope=<scope>/measure=<measure>, which are columns for readers of partitions.
NEIGHBORS = pa.schema(
    [
        ("probe", pa.string()),
        ("src", pa.string()),  # address of the feature whose neighbors these are
        ("dst", pa.string()),
        ("sign", pa.int8()),  # 1: nearest; -1: most opposite
        ("rank", pa.int32()),  # from 1; in scope=other within dst's model
        ("score", pa.float32()),
        ("score_rev", pa.float32()),  # the same measure from dst to src
        ("rank_rev", pa.int32()),  # src's rank in dst's list of the same scope; NULL: not in it
        ("mutual", pa.bool_()),  # each stands in the other's list
        ("baseline", pa.float32()),  # the score of the same rank against rotated copies of the layers compared with
    ]
)

# One row for each ordered pair of layers, also of a layer with itself.
LAYERS = pa.schema(
    [
        ("probe", pa.string()),
        ("model_a", pa.string()),
        ("layer_a", pa.string()),
        ("model_b", pa.string()),
        ("layer_b", pa.string()),
        ("features_a", pa.int32()),  # live features compared
        ("features_b", pa.int32()),
        ("cka", pa.float32()),  # linear; Kornblith 2019
        ("cka_baseline", pa.float32()),  # against a rotated copy of b: the same number, as CKA sees no single channel
        ("best_match", pa.float32()),  # mean over a's features of the highest profile score in b
        ("best_match_baseline", pa.float32()),
        ("mutual_share", pa.float32()),  # of a's features, those that are the best match of their best match
        ("mutual_share_baseline", pa.float32()),
    ]
)

# One row for each live feature and each other model, by profile.
MATCHES = pa.schema(
    [
        ("probe", pa.string()),
        ("model_a", pa.string()),
        ("model_b", pa.string()),
        ("src", pa.string()),
        ("dst", pa.string()),  # best match anywhere in model_b
        ("score", pa.float32()),
        ("baseline", pa.float32()),  # best match in rotated copies of model_b's layers
        ("excess", pa.float32()),  # score - baseline
        ("mutual", pa.bool_()),  # each is the other's best match
        ("partner", pa.string()),  # one to one, in the layer of model_b with the highest CKA; NULL: none was left
        ("partner_score", pa.float32()),
    ]
)

# How well each image drives its own feature, against the layer's other images.
QUALITY = pa.schema(
    [
        ("task", pa.string()),
        ("feature", pa.string()),
        ("self_rank", pa.int32()),  # 1 + images of the layer's other features that drive its channel more
        ("self_z", pa.float32()),  # deviations above what other images do
    ]
)

# What the pictures that drive each feature have in common: one row for each live feature and probe with labels.
NAMES = pa.schema(
    [
        ("probe", pa.string()),
        *FEATURE,
        ("weights", pa.string()),  # of the model that looked at the pictures
        ("name", pa.string()),  # a label; NULL: no label drives the feature beyond chance
        ("auc", pa.float32()),  # of the name against all other labels; without a name, of the surest label
        ("p", pa.float32()),  # that chance does as well, over all labels
        ("runner_up", pa.string()),  # the label of the next AUC; NULL without a name
        ("runner_up_auc", pa.float32()),
    ]
)

# What each live feature does on the pictures of a probe, so that a further picture can be compared with them.
MOMENTS = pa.schema(
    [
        ("probe", pa.string()),
        *FEATURE,
        ("weights", pa.string()),  # of the model that looked at the pictures
        ("mu", pa.float64()),  # mean of its responses; of probe `atlas` without the feature's own images
        ("sigma", pa.float64()),  # their deviation
        ("highest", pa.list_(pa.float32())),  # the three highest responses, highest first; of fewer pictures all
    ]
)

# The order of the maps.
CLUSTERS = pa.schema(
    [
        ("probe", pa.string()),
        ("measure", pa.string()),
        *FEATURE,
        ("place", pa.int32()),  # from 0, in clustered order
        ("family", pa.int32()),  # from 0, in the same order
    ]
)

# Features on a plane.
LAYOUT = pa.schema(
    [
        ("probe", pa.string()),
        *FEATURE,
        ("x", pa.float32()),  # both in [0, 1]
        ("y", pa.float32()),
    ]
)
