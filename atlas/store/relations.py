"""The tables of how features, layers and models relate, all of them made from responses (docs/similarity.md)."""

import pyarrow as pa

TOP, BOTTOM = 1, -1  # column `sign`

NEIGHBORS = pa.schema(  # under scope=<scope>/measure=<measure>, which are columns for readers of partitions
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
LAYERS = pa.schema(  # one row for each ordered pair of layers, also of a layer with itself
    [
        ("probe", pa.string()),
        ("model_a", pa.string()),
        ("layer_a", pa.string()),
        ("model_b", pa.string()),
        ("layer_b", pa.string()),
        ("features_a", pa.int32()),  # live features compared
        ("features_b", pa.int32()),
        ("cka", pa.float32()),  # linear; Kornblith 2019
        (
            "cka_baseline",
            pa.float32(),
        ),  # against a rotated copy of b: the same number, since CKA sees no single channel
        ("best_match", pa.float32()),  # mean over a's features of the highest profile score in b
        ("best_match_baseline", pa.float32()),
        ("mutual_share", pa.float32()),  # of a's features, those that are the best match of their best match
        ("mutual_share_baseline", pa.float32()),
    ]
)
MATCHES = pa.schema(  # one row for each live feature and each other model, by profile
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
QUALITY = pa.schema(
    [
        ("task", pa.string()),
        ("feature", pa.string()),
        ("self_rank", pa.int32()),  # 1 + images of the layer's other features that drive its channel more
        ("self_z", pa.float32()),  # deviations above what other images do
    ]
)
CLUSTERS = pa.schema(  # the order of the maps
    [
        ("probe", pa.string()),
        ("measure", pa.string()),
        ("feature", pa.string()),
        ("model", pa.string()),
        ("layer", pa.string()),
        ("channel", pa.int32()),
        ("place", pa.int32()),  # from 0, in clustered order
        ("family", pa.int32()),  # from 0, in the same order
    ]
)
LAYOUT = pa.schema(
    [
        ("probe", pa.string()),
        ("feature", pa.string()),
        ("model", pa.string()),
        ("layer", pa.string()),
        ("channel", pa.int32()),
        ("x", pa.float32()),  # both in [0, 1]
        ("y", pa.float32()),
    ]
)
