"""Every file of conf/ composes, and a user's own files beside them."""

import os
import sys
from dataclasses import replace
from itertools import zip_longest

import pytest

from atlas.config.compose import compose_model, run_job
from atlas.config.folder import conf_dir
from atlas.config.mistakes import ConfigError
from atlas.config.recipe_files import DEFAULT, read_recipe
from atlas.config.schema import SimilarityConfig
from atlas.optvis.metrics import METRICS
from atlas.sweep.targets import make_target
from tests.config.composing import composed

pytestmark = pytest.mark.job

NEEDED = {
    "custom": ["model.factory=a.b:c"],
    "ray": ["cluster.address=auto"],
    "natural": ["probes.natural.folder=."],
}


def files(*groups: str) -> list[str]:
    return [f"{group}={path.stem}" for group in groups for path in sorted((conf_dir() / group).glob("*.yaml"))]


def test_there_is_a_file_for_every_group():
    groups = {path.name for path in conf_dir().iterdir() if path.is_dir()}
    assert groups == {"model", "metric", "target", "recipe", "cluster", "probe", "experiment"}
    assert {name.partition("=")[2] for name in files("metric")} == set(METRICS)


GROUPS = ("model", "metric", "target", "recipe", "cluster", "probe")
# One file of every group to a command line: as many lines as the longest group has files.
LINES = list(zip_longest(*(files(group) for group in GROUPS)))


@pytest.mark.parametrize("line", LINES, ids=lambda line: " ".join(filter(None, line)))
def test_every_file_composes_without_mistakes(line):
    choices = dict(choice.split("=") for choice in line if choice)
    given = [f"{group}={name}" for group, name in choices.items()]
    config, overrides, mistakes = composed(
        *given, *(word for name in choices.values() for word in NEEDED.get(name, []))
    )
    assert mistakes == []
    assert overrides[: len(given)] == given
    for group, name in choices.items():
        match group:
            case "model":
                assert list(config.models) == [name]
            case "metric":
                assert list(config.metrics) == [name]
            case "target":
                assert config.target["kind"] == name
            case "recipe":
                assert config.recipe == read_recipe(name)
                assert config.recipe.name == name
            case "cluster":
                assert config.cluster.kind == name
            case "probe":
                assert list(config.probes) == [name]
                assert config.probes[name].kind == name


@pytest.mark.parametrize("choice", files("experiment"))
def test_every_experiment_composes_without_mistakes(choice):
    config, overrides, mistakes = composed(choice)
    assert (mistakes, overrides, config.name) == ([], [choice], choice.partition("=")[2])


def test_the_default_is_patternnet():
    config, overrides, mistakes = composed()
    assert (list(config.models), list(config.metrics), config.recipe.name) == (["patternnet"], ["l1"], DEFAULT)
    assert (config.layers, config.channels, config.seeds) == ("default", "all", [0])
    assert {name: probe.kind for name, probe in config.probes.items()} == {"atlas": "atlas"}
    assert config.similarity == SimilarityConfig()
    assert (overrides, mistakes) == ([], [])


def test_probes_are_a_list_and_have_values_of_their_own():
    line = ["probe=[atlas,natural,patterns]", "probes.natural.folder='.'", "probes.patterns.count=50"]
    config, _, mistakes = composed(*line, "similarity.measures=[z,profile]")
    assert mistakes == []
    assert list(config.probes) == ["atlas", "natural", "patterns"]
    assert (config.probes["natural"].folder, config.probes["patterns"].count) == (".", 50)
    assert config.similarity.measures == ["z", "profile"]
    assert list(composed("experiment=demo").config.probes) == ["atlas", "patterns"]


def test_lists_of_models_and_metrics_are_one_sweep():
    line = (
        "model=[googlenet,inception_v3] metric=[l1,l2,linf] layers=[inception4*,Mixed_6*] channels=0:16 recipe=octaves"
    )
    config, overrides, mistakes = composed(*line.split(), "seeds=[0,1]")
    assert (list(config.models), list(config.metrics)) == (["googlenet", "inception_v3"], ["l1", "l2", "linf"])
    assert (config.layers, config.channels, config.seeds) == (["inception4*", "Mixed_6*"], "0:16", [0, 1])
    assert (len(overrides), mistakes) == (6, [])


@pytest.mark.parametrize("given", ["target.with=[m/a.b:12,m/c:0]", "target.with=['m/a.b:12','m/c:0']"])
def test_addresses_can_be_written_as_they_are(given):
    assert make_target(composed("target=joint", given).config.target).partners == ("m/a.b:12", "m/c:0")


def test_channels_by_layer_are_written_as_they_are():
    given = "layers={blocks.4: [3], inception4*: 0:8, 'layer3.**': all, default: [zebra, 'tabby, tabby cat', 0:2]}"
    config, overrides, mistakes = composed(given)
    # Hydra's keys stand without quotes
    assert (mistakes, overrides, config.channels) == ([], [given], "all")
    assert config.layers == {
        "blocks.4": [3],
        "inception4*": "0:8",
        "layer3.**": "all",
        "default": ["zebra", "tabby, tabby cat", "0:2"],
    }


@pytest.mark.parametrize(
    ("given", "layers"),
    [
        ([], {"blocks.4": [3], "default": "0:2"}),
        (["layers={conv1: [1]}"], {"conv1": [1]}),
        (["layers=[conv1]"], ["conv1"]),
        (["layers=all", "seeds=[1]"], "all"),
    ],
)
def test_layers_replace_those_of_an_experiment(tmp_path, given, layers):
    (tmp_path / "experiment").mkdir()
    (tmp_path / "experiment" / "by_layer.yaml").write_text(
        "# @package _global_\nlayers: {blocks.4: [3], default: 0:2}\n"
    )
    config, overrides, mistakes = composed("--config-dir", str(tmp_path), "experiment=by_layer", *given)
    assert (config.layers, overrides, mistakes) == (layers, ["experiment=by_layer", *given], [])


def test_out_follows_the_name_unless_it_is_said():
    assert composed("name=mine").config.out == "outputs/mine"
    assert composed("name=mine", "out=/data/x").config.out == "/data/x"
    assert composed("experiment=demo").config.out == "outputs/demo"


def test_a_command_line_goes_before_an_experiment():
    config = composed("experiment=overnight", "model=resnet50", "recipe=quick", "seeds=[3]").config
    assert (list(config.models), config.recipe.name, config.seeds) == (["resnet50"], "quick", [3])


@pytest.mark.parametrize("name", ["resnet18", "vit_base_patch16_224.augreg_in21k", "convnext_tiny"])
def test_any_other_name_is_a_model(name):
    config, _, mistakes = composed(f"model=[{name},googlenet]")
    assert mistakes == []
    assert config.models[name].source == "any"
    assert compose_model(name) == config.models[name]


def test_a_model_of_ones_own_by_factory():
    line = ["model=custom", "model.factory=package.module:function", "model.weights=w.safetensors", "+model.kwargs.a=1"]
    config, _, mistakes = composed(*line, "model.input_size=64", "model.mean=[0,0,0]", "+model.zones.early=['conv*']")
    own = config.models["custom"]
    assert mistakes == []
    assert (own.source, own.factory, own.weights) == ("custom", "package.module:function", "w.safetensors")
    assert (own.kwargs, own.input_size, own.mean, own.zones) == ({"a": 1}, 64, [0, 0, 0], {"early": ["conv*"]})


@pytest.fixture
def mine(tmp_path, monkeypatch):
    """my_conf/ in the working directory, with models and an experiment."""
    texts = {
        "model/mine.yaml": "# @package models\nmine:\n  source: custom\n  factory: a.b:c\n",
        "model/flat.yaml": "source: custom\nfactory: a.b:c\n",
        "model/unpacked.yaml": "unpacked:\n  source: custom\n",
        "model/odd.yaml": "# @package models\nodd:\n  facory: a.b:c\n",
        "probe/photos.yaml": "# @package probes\nphotos:\n  kind: natural\n  folder: my_conf\n",
        "probe/kindless.yaml": "# @package probes\nkindless:\n  seed: 3\n",
        "experiment/big.yaml": "# @package _global_\ndefaults:\n  - override /model: [mine, vgg19]\nname: big\n",
        "experiment/typo.yaml": "# @package _global_\nsede: 3\n",
    }
    for name, text in texts.items():
        (tmp_path / "my_conf" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "my_conf" / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    return "--config-dir", "my_conf"


def test_a_folder_of_ones_own_goes_before_models_without_a_file(mine):
    config, overrides, mistakes = composed(*mine, "model=[mine,resnet18]")
    assert (config.models["mine"].factory, config.models["resnet18"].source) == ("a.b:c", "any")
    assert (overrides, mistakes) == (["model=[mine,resnet18]"], [])
    assert compose_model("mine", "my_conf") == config.models["mine"]
    assert list(composed(*mine, "experiment=big").config.models) == ["mine", "vgg19"]


def test_a_probe_of_ones_own_is_a_file_too(mine):
    config, _, mistakes = composed(*mine, "probe=[photos,patterns]")
    assert (list(config.probes), config.probes["photos"].kind, mistakes) == (["photos", "patterns"], "natural", [])
    with pytest.raises(ConfigError, match=r"probes\.kindless\.kind: a value is needed"):
        composed(*mine, "probe=kindless")


def test_it_still_does_beside_a_mistake(mine):
    config, overrides, mistakes = composed(*mine, "model=mine", "sede=3")
    assert config.models["mine"].factory == "a.b:c"
    assert overrides == ["model=mine"]
    assert mistakes == ["sede=3: no such key; did you mean seeds?"]


@pytest.mark.parametrize("name", ["flat", "unpacked"])
def test_a_file_without_its_package_line_is_told_of_it(mine, name):
    for models in (name, f"[patternnet,{name}]"):
        mistakes = composed(*mine, f"model={models}").mistakes
        assert any("`# @package models` at the top of a model file" in mistake for mistake in mistakes)


@pytest.mark.parametrize(("choice", "key"), [("model=odd", "facory"), ("experiment=typo", "sede")])
def test_a_wrong_key_in_a_file_is_named_with_the_file(mine, choice, key):
    (mistake, *_) = composed(*mine, choice).mistakes
    assert mistake.startswith(f"{choice}: In '{choice.replace('=', '/')}'")
    assert f"'{key}'" in mistake


def test_a_folder_that_is_not_there_is_named(tmp_path):
    for act in (lambda: composed("--config-dir", "nowhere"), lambda: compose_model("mine", "nowhere")):
        with pytest.raises(ConfigError, match="--config-dir=nowhere: no such folder"):
            act()


@pytest.mark.parametrize("name", ["a,b", "a]", "", "-x", "a b"])
def test_what_is_no_models_name_is_refused(name):
    with pytest.raises(ConfigError, match=r"letters, digits and _\.\+- only"):
        compose_model(name)


def test_a_number_is_no_models_name():
    with pytest.raises(ConfigError, match="model=3"):
        compose_model("3")


def test_hydras_own_options_print_and_make_nothing(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for arguments in (["--cfg", "job", "seeds=[7]"], ["--info", "defaults"]):
        assert run_job("generate", arguments, lambda *seen: pytest.fail("it was run")) is None
    assert "seeds:\n- 7\n" in capsys.readouterr().out
    with pytest.raises(SystemExit, match="0"):
        run_job("generate", ["--help"], lambda *seen: pytest.fail("it was run"))
    assert "inception_v3" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []


def test_the_process_is_left_as_it_was(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HYDRA_FULL_ERROR", raising=False)
    argv = list(sys.argv)
    first = composed("name=x").config
    assert composed("seds=1").mistakes
    assert composed("name=x").config == first == replace(first)
    assert sys.argv == argv
    assert "HYDRA_FULL_ERROR" not in os.environ
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "word", ["hydra.job_logging.version=2", "hydra/launcher=basic", "++hydra.sweeper.max_batch_size=2"]
)
def test_what_hydras_own_apps_need_may_be_set_all_the_same(word):
    assert not composed(word).mistakes
