"""Transformers and timm's models, by real sweeps: layers, targets and recipes work on tokens, or are refused with the reason."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from sweeps import image_bytes, rows_of, sweep

import atlas
from atlas.config.checks import value_mistakes
from atlas.config.mistakes import ConfigError
from atlas.config.schema import ModelConfig, SweepConfig
from atlas.generate.job import ImagesOutcome, generate
from atlas.generate.recipe_inputs import read_material
from atlas.query.verify.verify import verify
from atlas.records import ModelCard
from atlas.similarity.job import similarity
from atlas.store.paths import AtlasPaths
from atlas.sweep.plan import make_plan
from atlas.zoo.card import layer_table, make_card
from atlas.zoo.load import load
from tests.made_cards import plan_mistakes
from tests.small_nets import seeded, small_vit

pytestmark = pytest.mark.job

VIT = ("model=custom", "model.factory=tests.small_nets:small_vit", "model.input_size=64")
TIMM_VIT = ("model=test_vit", "models.test_vit.weights=none")  # 160 pixels only
TIMM_RESNET = ("model=test_resnet", "models.test_resnet.weights=none")  # 160 pixels, and others
BLOCK = "encoder.layers.encoder_layer_1"
LAST = f"layers=[{BLOCK}]"
STEPS = "recipe.octaves=[{steps: 3, lr: [0.1, 0.05], sigma: [1.5, 0.4]}]"
QUICK = ("recipe=quick", STEPS)
TOKENS, PATCHES = 17, 16  # of 64 pixels: the class token is the first


@cache
def card(name: str, source: str, factory: str | None, size: int | None) -> ModelCard:
    return make_card(name, ModelConfig(source=source, factory=factory, input_size=size, weights="none"))


def asked(out: Path, *overrides: str) -> tuple[SweepConfig, dict[str, ModelCard]]:
    config = sweep("cluster=inline", "channels=0:2", *overrides, out=out)
    return config, {n: card(n, m.source, m.factory, m.input_size) for n, m in config.models.items()}


def mistakes(*overrides: str) -> list[str]:
    """What `prepare` would refuse, before anything is written."""
    config, cards = asked(Path("outputs/never"), *overrides)
    return value_mistakes(config) or plan_mistakes(config, cards, read_material(config.recipe))


def run(out: Path, *overrides: str) -> ImagesOutcome:
    config, cards = asked(out, *overrides)
    material = read_material(config.recipe)
    assert value_mistakes(config) + plan_mistakes(config, cards, material) == []
    return generate(config, make_plan(config, cards, material), list(overrides))


def made(out: Path, *overrides: str) -> list[dict]:
    """The rows of a sweep in which nothing went wrong and every image was driven."""
    outcome = run(out, *overrides)
    assert (outcome.failed, outcome.left, outcome.stopped) == (0, 0, None)
    rows = rows_of(out)
    assert len(rows) == outcome.planned > 0
    for row in rows:
        last = row["trace"][-1] if row["recipe"] == "maco" else row["score"]  # of its views, which are not the image
        assert (row["status"], last > row["score_start"]) == ("ok", True), row["feature"]
        with Image.open(out / row["image"]) as image:
            assert image.size == (row["width"], row["height"])
    assert verify(AtlasPaths(out)).exit_code == 0
    return rows


# ---- layers ----


def test_the_layers_of_a_transformer_are_its_blocks_and_their_maps_are_tokens():
    vit = card("custom", "custom", "tests.small_nets:small_vit", 64)
    assert vit.resizable is False
    layers = {layer.name: layer for layer in vit.layers}
    assert (layers[BLOCK].channels, layers[BLOCK].height, layers[BLOCK].width) == (32, TOKENS, 1)
    assert (layers["conv_proj"].channels, layers["conv_proj"].height, layers["conv_proj"].width) == (32, 4, 4)
    assert (layers["heads.head"].channels, layers["heads.head"].height) == (5, 1)
    assert set(vit.chosen) <= set(layers) and any(name.startswith("encoder.layers") for name in vit.chosen)


def test_a_map_of_tokens_is_the_blocks_output_and_token_0_the_class_token():
    net = seeded(small_vit)
    kept = []
    net.get_submodule(BLOCK).register_forward_hook(lambda module, inputs, output: kept.append(output))
    pictures = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    loaded = load(
        "custom", ModelConfig(source="custom", factory="tests.small_nets:small_vit", input_size=64, weights="none")
    )
    loaded.model.load_state_dict(net.state_dict())
    with torch.no_grad():
        net(pictures)
        (maps,) = loaded.forward([BLOCK])(pictures).values()
    assert maps.shape == (2, 32, TOKENS, 1)
    torch.testing.assert_close(maps[..., 0], kept[0].transpose(1, 2))


@pytest.mark.parametrize(
    ("name", "layer", "shape"),
    [
        ("test_vit", "blocks.3", (64, 101, 1)),
        ("test_resnet", "layer3", (192, 10, 10)),
        ("test_convnext", "stages.2", (48, 10, 10)),
        pytest.param("swin_t", "features.3", (192, 28, 28), marks=pytest.mark.slow),
        pytest.param("vit_b_16", BLOCK, (768, 197, 1), marks=pytest.mark.slow),
    ],
)
def test_layers_of_known_models_by_name(name, layer, shape):
    """On the meta device where the model's code lets it be: no memory, no weights."""
    walked, chosen = layer_table(name, ModelConfig(source="any", weights="none"))
    layers = walked.layers
    found = next(one for one in layers if one.name == layer)
    assert (found.channels, found.height, found.width) == shape
    assert layer in chosen or name == "swin_t"


# ---- targets ----


@pytest.mark.parametrize(
    ("target", "labels"),
    [
        (["target=channel"], ["channel"]),
        (["target=row", f"target.row=[0,{TOKENS - 1},null]"], ["row0", f"row{TOKENS - 1}", "rowmid"]),
        (["target=neuron", "target.row=3"], ["neuron3xmid"]),
        (["target=neuron", "target.row=[0,3]", "target.col=[0]"], ["neuron0x0", "neuron3x0"]),
        (["target=cumulative", f"target.count=[1,{TOKENS}]"], ["cumulative1", f"cumulative{TOKENS}"]),
        (
            ["target=joint", "target.with=[custom/encoder.layers.encoder_layer_0:7,custom/conv_proj:1]"],
            ["joint+custom/encoder.layers.encoder_layer_0:7+custom/conv_proj:1"],
        ),
    ],
    ids=lambda value: value[0] if "=" in value[0] else "",
)
def test_every_target_works_on_tokens(tmp_path: Path, target, labels):
    rows = made(tmp_path / "a", *VIT, *QUICK, LAST, *target)
    assert sorted({row["target"] for row in rows}) == sorted(labels)
    assert {len(row["activation"]) for row in rows} == {32}


@pytest.mark.parametrize(
    ("target", "refused"),
    [
        (["target=row", "target.row=[16,17]"], f"target.row=17: custom/{BLOCK} is 17 x 1 at 64 pixels"),
        (["target=neuron", "target.row=3", "target.col=1"], f"target.col=1: custom/{BLOCK} is 17 x 1 at 64 pixels"),
        (["target=cumulative", "target.count=18"], f"target.count=18: custom/{BLOCK} is 17 x 1 at 64 pixels"),
        (["target=joint", "target.with=[custom/heads:5]"], "target.with=custom/heads:5: custom/heads has 5 channels"),
    ],
)
def test_tokens_that_are_not_there_are_refused(target, refused):
    (said,) = mistakes(*VIT, *QUICK, LAST, *target)
    assert said.startswith(refused)


def test_a_token_of_its_own_place_is_driven_and_others_less(tmp_path: Path):
    """The row of a patch is that patch: before the first block mixes them, only its pixels change."""
    made(tmp_path / "a", *VIT, "recipe=quick", "recipe.octaves=[{steps: 1, lr: [0.1, 0.1]}]", "layers=[encoder.dropout]",
         "channels=[2]", "target=row", "target.row=[1,6]")  # fmt: skip
    first, sixth = (
        np.asarray(Image.open(tmp_path / "a" / row["image"]), int)
        for row in sorted(rows_of(tmp_path / "a"), key=lambda row: row["target"])
    )
    changed = np.abs(first - sixth).max(2) > 0
    assert changed[:16, :16].any() and changed[16:32, 16:32].any(), "patches 1 and 6 of 4 x 4, counted from 1"
    changed[:16, :16] = changed[16:32, 16:32] = False
    assert not changed.any()


# ---- recipes ----

SHORT = {
    "normalized": ["recipe=normalized", "models.custom.steps=[2,2,2]"],
    "quick": list(QUICK),
    "fourier": ["recipe=fourier", "recipe.octaves=[{steps: 12, lr: [0.05, 0.05]}]"],
    "maco": ["recipe=maco", "recipe.octaves=[{steps: 12, lr: [1, 1]}]", "recipe.trace_every=11"],
    "filter": ["recipe=filter", "recipe.octaves=[{steps: 4, lr: [0.1, 0.1]}]"],
    "plain": ["recipe=plain", "recipe.octaves=[{steps: 4, lr: [0.4, 0.3]}]"],
}


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=pytest.mark.slow) if n in ("normalized", "filter", "plain") else n for n in SHORT]
)
def test_recipes_keep_to_the_one_size_of_a_model(tmp_path: Path, name: str):
    rows = made(tmp_path / "a", *VIT, LAST, *SHORT[name])
    assert {(row["width"], row["height"]) for row in rows} == {(64, 64)}
    before = image_bytes(tmp_path / "a")
    assert run(tmp_path / "a", *VIT, LAST, *SHORT[name]).idle
    assert image_bytes(tmp_path / "a") == before


ONLY = "custom takes images of 64 x 64 pixels only"


def test_recipes_of_other_sizes_are_refused_with_what_to_do():
    assert mistakes(*VIT, LAST, "recipe=filter") == [f"recipe.octaves[0].size=224: {ONLY}; leave size null, or give 64"]
    assert mistakes(*VIT, LAST, "recipe=octaves") == [
        f"recipe.octaves[{place}].size={size}: {ONLY}; leave size null, or give 64"
        for place, size in enumerate((299, 340, 380))
    ]
    assert mistakes(*VIT, LAST, "recipe=normalized", "models.custom.sizes=[64,64,80]") == [
        f"models.custom.sizes[2]=80: {ONLY}; leave it null, or give 64"
    ]


def test_a_dream_of_such_a_model_begins_as_a_square_of_its_size(tmp_path: Path):
    dream = [*VIT, LAST, "recipe=dream"]
    wide = f"recipe.picture=sklearn:china.jpg: {ONLY}, and this is 640 x 427; cut it square"
    unsized = f"recipe.octaves[0].size=null, of recipe.picture=sklearn:china.jpg: {ONLY}; give 64"
    assert mistakes(*dream) == [unsized, wide]
    assert mistakes(*dream, "recipe.octaves.0.size=64") == [wide]
    picture = tmp_path / "square.png"
    drawn = np.random.default_rng(0).integers(0, 256, (100, 100, 3), dtype=np.uint8)
    Image.fromarray(drawn).save(picture)
    (unsized,) = mistakes(*dream, f"recipe.picture={picture}")
    assert unsized.endswith(f"recipe.picture={picture}: {ONLY}; give 64")
    few = "recipe.octaves=[{size: 64, steps: 3, lr: [1, 1]}]"
    rows = made(tmp_path / "a", *dream, f"recipe.picture={picture}", few)
    assert {(row["width"], row["height"]) for row in rows} == {(64, 64)}


def test_a_size_that_no_transformer_of_this_kind_takes_is_refused_by_name():
    with pytest.raises(ConfigError, match=r"models\.test_vit\.input_size=100: a forward pass of images"):
        make_card("test_vit", ModelConfig(source="any", weights="none", input_size=100))


@pytest.mark.parametrize("recipe", ["normalized", "fourier"])
def test_visualize_keeps_to_the_one_size_too_and_says_so_where_it_cannot(recipe):
    net = seeded(small_vit)
    steps = [dict(steps=2, lr=[0.05, 0.05])] * (3 if recipe == "normalized" else 1)
    v = atlas.visualize(net, BLOCK, [0, 3], recipe=recipe, octaves=steps, input_size=64)
    assert (v.images.shape, v.status) == ((2, 3, 64, 64), ["ok", "ok"])
    with pytest.raises(ConfigError, match=r"recipe\.octaves\[0\]\.size=224: model takes images of 64 x 64 pixels only"):
        atlas.visualize(net, BLOCK, [0, 3], recipe="filter", input_size=64)


# ---- timm ----


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "layers"), [(TIMM_VIT, "layers=[blocks.0,blocks.5]"), (TIMM_RESNET, "layers=[layer1,layer4]")]
)
def test_timms_models_by_name_are_swept_and_compared(tmp_path: Path, model, layers):
    rows = made(tmp_path / "a", *model, layers, *QUICK, "channels=[0,2,3]")
    assert {(row["width"], row["weights"].partition("@")[0]) for row in rows} == {(160, "none(seed 0)")}
    config, cards = asked(tmp_path / "a", *model, layers, *QUICK, "probe=[atlas,patterns]", "probes.patterns.count=6",
                          "probes.patterns.examples=1")  # fmt: skip
    outcome = similarity(config, cards)
    assert (outcome.failures, outcome.stopped, outcome.unread) == ([], None, 0)
    assert outcome.features == 6
    assert set(outcome.compared) == {"atlas", "patterns"}


def test_models_of_different_sizes_are_compared_in_one_atlas(tmp_path: Path):
    """Each image is shown to every model, also to one that takes another size only."""
    both = ("model=[custom,test_resnet]", *VIT[1:], TIMM_RESNET[1], f"layers=[{BLOCK},layer4]", *QUICK)
    made(tmp_path / "a", *both, "channels=[0,2,3]")
    config, cards = asked(tmp_path / "a", *both)
    outcome = similarity(config, cards)
    assert (outcome.failures, outcome.stopped, outcome.unread, outcome.features) == ([], None, 0, 6)


@pytest.mark.slow
def test_a_transformer_that_takes_any_size_grows_as_other_models_do(tmp_path: Path):
    free = [f"+models.test_vit.kwargs.dynamic_img_{what}=true" for what in ("size", "pad")]
    config = sweep("cluster=inline", *TIMM_VIT, *free, "layers=[blocks.5]", "channels=[0]",
                   "recipe=quick", "recipe.octaves=[{size: 99, steps: 2, lr: [0.1, 0.1]}]", out=tmp_path / "a")  # fmt: skip
    cards = {"test_vit": make_card("test_vit", config.models["test_vit"])}
    assert cards["test_vit"].resizable
    assert plan_mistakes(config, cards) == []
    assert generate(config, make_plan(config, cards), []).made == 1
    assert [row["width"] for row in rows_of(tmp_path / "a")] == [99]
