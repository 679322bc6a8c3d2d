"""Each check of a sweep's values: what it refuses, what it says, and what it lets pass."""

from dataclasses import fields, replace

import pytest
import torch
from made_cards import metrics, recipe, sweep

from atlas.config import choices
from atlas.config.checks import value_mistakes
from atlas.config.mistakes import ConfigError, nearest
from atlas.config.recipe_files import read_recipe
from atlas.config.schema import (
    ClusterConfig,
    MetricConfig,
    ModelConfig,
    OctaveConfig,
    ProbeConfig,
    SimilarityConfig,
)
from atlas.optvis import metrics as metrics_made
from atlas.optvis.start import STARTS
from atlas.records import MEASURES, SCOPES


def test_every_name_that_may_be_chosen_stands_for_something_in_the_code():
    assert list(metrics_made.METRICS) == list(choices.METRICS)
    assert list(STARTS) == list(choices.PARAMS)
    assert all(issubclass(getattr(torch.optim, name), torch.optim.Optimizer) for name in choices.OPTIMIZERS.values())


def test_a_right_sweep_has_no_mistakes():
    assert value_mistakes(sweep("a", "b", metrics=metrics(*choices.METRICS), seeds=[0, 5])) == []


def octave(**changes) -> dict:
    return {"recipe": recipe(octaves=[replace(OctaveConfig(size=64, steps=3), **changes)])}


def cluster(**changes) -> dict:
    return {"cluster": ClusterConfig(**{"kind": "local"} | changes)}


def probe(name="p", **changes) -> dict:
    return {"probes": {name: ProbeConfig(**{"kind": "atlas"} | changes)}}


def similarity(**changes) -> dict:
    return {"similarity": SimilarityConfig(**changes)}


@pytest.mark.parametrize(
    ("changes", "mistake"),
    [
        ({"name": "a/b"}, "name='a/b': letters"),
        ({"name": ".a"}, "name='.a': letters"),
        ({"name": ""}, "name='': letters"),
        ({"retry": "fail"}, "retry=fail: did you mean failed?"),
        ({"seeds": []}, "seeds=[]: a list of different"),
        ({"seeds": [1, 1]}, "seeds=[1, 1]: a list of different"),
        ({"seeds": [0, -1]}, "seeds=[0, -1]: a list of different"),
        ({"models": {}}, "model=[]: name at least one"),
        ({"models": {"a b": ModelConfig()}}, "models.a b: letters"),
        ({"models": {"a": ModelConfig(sizes=[64, 7])}}, "models.a.sizes=[64, 7]: a whole number from 8 up"),
        ({"models": {"a": ModelConfig(steps=[0])}}, "models.a.steps=[0]: a whole number from 1 up"),
        ({"models": {"a": ModelConfig(steps=[])}}, "models.a.steps=[]: a whole number from 1 up"),
        ({"model": {"weights": "none"}}, "model.weights: only model=custom reads this; write models.NAME.weights"),
        ({"metrics": {}}, "metric=[]: name at least one"),
        ({"metrics": {"l3": MetricConfig(1.0)}}, "metric=l3: no such metric; allowed: l1, l2, linf, mean"),
        ({"metrics": {"l2": MetricConfig(None)}}, "metrics.l2.constant=None: a finite"),
        ({"metrics": {"linf": MetricConfig(float("inf"))}}, "metrics.linf.constant=inf: a finite"),
        ({"recipe": recipe(gradient="rsm")}, "recipe.gradient=rsm: did you mean rms?"),
        ({"recipe": recipe(precision="float16")}, "recipe.precision=float16: did you mean"),
        ({"recipe": recipe(start=[0.6, 0.5])}, "recipe.start=[0.6, 0.5]: the bounds"),
        ({"recipe": recipe(start=[0.5])}, "recipe.start=[0.5]: the bounds"),
        ({"recipe": recipe(start=[0.0, float("inf")])}, "recipe.start=[0.0, inf]: the bounds"),
        ({"recipe": recipe(rescue=-1)}, "recipe.rescue=-1"),
        ({"recipe": recipe(trace_every=0)}, "recipe.trace_every=0"),
        ({"recipe": recipe(octaves=[])}, "recipe.octaves=[]: at least one"),
        (octave(size=7), "recipe.octaves[0].size=7: at least 8"),
        (octave(steps=0), "recipe.octaves[0].steps=0"),
        (octave(lr=[0.1]), "recipe.octaves[0].lr=[0.1]: two rates"),
        (octave(lr=[0.1, float("nan")]), "recipe.octaves[0].lr=[0.1, nan]: two rates"),
        (octave(sigma=[0.0, 1.0]), "recipe.octaves[0].sigma=[0.0, 1.0]: two widths"),
        (octave(sigma=[1.0]), "recipe.octaves[0].sigma=[1.0]: two widths"),
        (octave(sigma=[float("nan"), 1.0]), "recipe.octaves[0].sigma=[nan, 1.0]: two widths"),
        (cluster(accelerator=["H100"]), "cluster.accelerator=[H100]: only cluster=ray has nodes"),
        (
            cluster(kind="ray", address="a:1", accelerator=["H100"], device="cpu"),
            "cluster.accelerator=[H100]: cluster.device=cpu needs no card",
        ),
        (
            cluster(kind="ray", address="a:1", accelerator=["H100)"]),
            "cluster.accelerator: 'H100)' is no name of a card",
        ),
        (cluster(kind="rai"), "cluster.kind=rai: did you mean ray?"),
        (cluster(device="gpu"), "cluster.device=gpu: "),
        (cluster(kind="ray"), "cluster.address is missing"),
        (cluster(actors=0), "cluster.actors=0"),
        (cluster(batch=-1), "cluster.batch=-1"),
        (cluster(cpus_per_actor=0), "cluster.cpus_per_actor=0"),
        (cluster(shard_seconds=0.0), "cluster.shard_seconds=0.0"),
        (cluster(gpus_per_actor=-1.0), "cluster.gpus_per_actor=-1.0"),
        (cluster(grace=float("nan")), "cluster.grace=nan"),
        (cluster(gpus_per_actor=0.4), "cluster.gpus_per_actor=0.4: a whole number, or 1 divided by one"),
        (cluster(gpus_per_actor=1.5), "cluster.gpus_per_actor=1.5: a whole number, or 1 divided by one"),
        (probe("a b"), "probes.a b: letters"),
        (probe(kind="patern"), "probes.p.kind=patern: did you mean patterns?"),
        (probe(kind="natural"), "probes.p.folder is missing: name the folder of pictures, as probes.p.folder=/data"),
        (probe(kind="natural", folder=""), "probes.p.folder is missing: "),
        (probe(kind="natural", folder="~/nowhere"), "probes.p.folder=~/nowhere: no such folder"),
        (probe(kind="natural", folder=__file__), f"probes.p.folder={__file__}: is no folder"),
        (probe(count=1), "probes.p.count=1: a whole number from 2 up"),
        (probe(seed=-1), "probes.p.seed=-1: a whole number from 0 up"),
        (probe(examples=-1), "probes.p.examples=-1: a whole number from 0 up"),
        (similarity(measures=["raw", "profil"]), "similarity.measures=profil: did you mean profile?"),
        (similarity(measures=[]), "similarity.measures=[]: a list of different names is wanted, of raw, z, drive, sym"),
        (similarity(measures=["z", "z"]), "similarity.measures=[z,z]: a list of different names"),
        (similarity(scopes=["layers"]), "similarity.scopes=layers: did you mean layer?"),
        (
            similarity(scopes=[]),
            "similarity.scopes=[]: a list of different names is wanted, of layer, model, other, all",
        ),
        (similarity(top=0), "similarity.top=0: a whole number from 1 up"),
        (similarity(bottom=-1), "similarity.bottom=-1: a whole number from 0 up"),
        (similarity(seed=-1), "similarity.seed=-1: a whole number from 0 up"),
    ],
    ids=lambda value: value.partition(":")[0] if isinstance(value, str) else "",
)
def test_each_mistake_is_told_alone_and_with_its_place(changes, mistake):
    (told,) = value_mistakes(sweep(**changes))
    assert told.startswith(mistake)


@pytest.mark.parametrize(
    "changes",
    [
        octave(size=None, steps=None, sigma=None),
        octave(size=8, steps=1, lr=[-0.1, 0.0], sigma=[0.1, 0.1]),
        {"recipe": recipe(start=[0.5, 0.5], rescue=0, trace_every=1)},
        {"models": {"resnet152d.a-b+c_1": ModelConfig(sizes=[8], steps=[1])}},
        {"models": {"custom": ModelConfig()}, "model": {"factory": "a:b", "weights": "none"}},
        {"metrics": {"mean": MetricConfig(), "l1": MetricConfig(0.0)}},
        *(cluster(gpus_per_actor=share) for share in (1 / 3, 0.25, 1.0, 2.0)),
        cluster(kind="ray", address="auto", actors=1),
        *({"recipe": recipe(gradient=value)} for value in ("raw", "rms")),
        probe("photos-1", kind="natural", folder="."),
        probe(kind="natural", folder="~"),
        probe(kind="patterns", count=2, seed=0, examples=0),
        probe(kind="photographs"),
        similarity(measures=["profile"], scopes=["other"], top=1, bottom=0, layout=False),
    ],
)
def test_what_is_allowed_passes(changes):
    assert value_mistakes(sweep(**changes)) == []


def test_every_mistake_is_told_at_once():
    wrong = {"name": "/", "seeds": [], "models": {}, "metrics": {}} | octave(size=1, steps=0) | cluster(actors=0)
    wrong |= probe(kind="natural", count=0) | similarity(measures=["x", "y", "y"], top=0)
    assert len(value_mistakes(sweep(**wrong))) == 13


def test_everything_is_compared_in_every_way_unless_it_is_said():
    assert (tuple(SimilarityConfig().measures), tuple(SimilarityConfig().scopes)) == (MEASURES, SCOPES)


def test_recipes_by_name_with_changes():
    assert read_recipe("octaves", trace_every=3).trace_every == 3
    for name, changes, message in (
        ("octavs", {}, "recipe='octavs': no such recipe; did you mean octaves"),
        ("octaves", {"rescue": -1, "start": [1.0]}, r"(?s)recipe.start=\[1.0\].*recipe.rescue=-1"),
        ("octaves", {"resque": 1}, "resque"),
        ("octaves", {"rescue": "x"}, "recipe.rescue: Value 'x'"),
    ):
        with pytest.raises(ConfigError, match=message):
            read_recipe(name, **changes)


def test_nearest_names_what_is_allowed():
    assert nearest("GoogleNet", ["googlenet", "vgg19"]) == "did you mean googlenet?"
    assert nearest("zz", ["a", "b", "a"]) == "allowed: a, b"
    assert nearest("zz", []) == "there is none"
    assert nearest("zz", map(str, range(100))) == "allowed are 100 names, such as 0, 1, 2, 3, 4, 5"


def test_a_config_error_tells_each_mistake_once():
    error = ConfigError(["a", "b", "a"])
    assert error.mistakes == ("a", "b")
    assert str(error) == "a\nb"
    assert fields(ModelConfig)[0].name == "source"
