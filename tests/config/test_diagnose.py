"""A command line that does not compose: every mistake named, each with what is allowed."""

from collections.abc import Iterable

import pytest

from atlas.config.compose import compose_model, run_job
from atlas.config.mistakes import ConfigError
from tests.config.composing import composed

pytestmark = pytest.mark.job

ONE = {
    # wrong keys
    "seds=[0]": "seds=[0]: no such key; did you mean seeds?",
    "modle=googlenet": "modle=googlenet: no such key; did you mean model or models?",
    "recipe.resque=3": "recipe.resque=3: no such key; did you mean recipe.rescue",
    "~modle": "~modle: no such key; did you mean model",
    "models.patternet.seed=1": "models.patternet.seed=1: no such key; did you mean models.patternnet.seed",
    "recipe.octaves=[{siz:64}]": "recipe.octaves=[{siz:64}]: Key 'siz' not in 'OctaveConfig'",
    "model.kwargs={a:1}": "model.kwargs={a:1}: arguments of a model are added, each by itself, as +model.kwargs.KEY=VALUE",
    "model.kwargs.a=1": "model.kwargs.a=1: arguments of a model are added, each by itself, as +model.kwargs.KEY=VALUE",
    "models.patternnet.kwargs={a:1}": "models.patternnet.kwargs={a:1}: Key 'a' is not in struct; to add one, write +models.",
    # wrong types
    "seeds=abc": "seeds=abc: Invalid value assigned: str is not a ListConfig, list or tuple.",
    "cluster.actors=x": "cluster.actors=x: Value 'x' of type 'str' could not be converted to Integer",
    "dry_run=maybe": "dry_run=maybe: Value 'maybe' is not a valid bool",
    "name=[a]": "name='[a]': letters, digits and _.+- only",
    "hydra.job.chdir=x": "hydra.job.chdir=x: Value 'x' is not a valid bool",
    # wrong values of groups
    "metric=l3": "metric=l3: no such metric; allowed: l1, l2, linf, mean",
    "metric=[l1,l3]": "metric=l3: no such metric; allowed: l1, l2, linf, mean",
    "metric=1": "metric=1: no such metric; did you mean l1?",
    "metric=[l2,1]": "metric=1: no such metric; did you mean l1?",
    "metric=null": "metric=null: no such metric; allowed: l1, l2, linf, mean",
    "probe=pattern": "probe=pattern: no such probe; did you mean patterns?",
    "probe=[atlas,photos]": "probe=photos: no such probe; did you mean photographs?",
    "probe=[atlas,films]": "probe=films: no such probe; allowed: atlas, natural, patterns, photographs",
    "probe=null": "probe=null: no such probe; allowed: atlas, natural, patterns",
    "prob=atlas": "prob=atlas: no such key; did you mean probe or probes?",
    "probes.atlas.cuont=3": "probes.atlas.cuont=3: no such key; did you mean probes.atlas.count",
    "similarity.top=x": "similarity.top=x: Value 'x' of type 'str' could not be converted to Integer",
    "recipe=nomalized": "recipe=nomalized: no such recipe; did you mean normalized or ",
    "experiment=dmo": "experiment=dmo: no such experiment; did you mean demo?",
    "model=[resnet18,x y]": "model=x y: no such model; allowed: custom, efficientnet_lite0, googlenet",
    "+metric=l2": "+metric=l2: Multiple values for metric",
    # lists written otherwise
    "model=googlenet,vgg19": "model=googlenet,vgg19: a sweep is one run here; give a list, as model=[googlenet,vgg19]",
    "seeds=0,1": "seeds=0,1: a sweep is one run here; give a list, as seeds=[0,1]",
    "probe=atlas,patterns": "probe=atlas,patterns: a sweep is one run here; give a list, as probe=[atlas,patterns]",
    "recipe=[quick,plain]": "recipe=[quick,plain]: a sweep has one recipe; name one of quick, plain",
    "target=[row,neuron]": "target=[row,neuron]: a sweep has one target; name one of row, neuron",
    # what cannot be parsed
    "seeds": "seeds: cannot be read; overrides look like key=value, and lists like key=[a,b]",
    "layers=[a,b": "layers=[a,b: cannot be read",
    "=3": "=3: cannot be read",
}


def test_the_folder_of_an_atlas_is_told_how_it_is_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("made", "two words", "none"):
        (tmp_path / name).mkdir()
        if name != "none":
            (tmp_path / name / "atlas.json").touch()
    said = [composed(word)[2][0] for word in ("made", "two words", "none", "a" * 300, "~nobody x")]
    assert said[0].endswith("; an atlas is named by out=made")
    assert "a text goes in quotes, as 'out=" in said[1]
    assert all("out=" not in mistake for mistake in said[2:])


def lines(arguments: Iterable[str]) -> list[list[str]]:
    """The arguments on as few command lines as can be: each has a key but once, of those that can be read."""
    shared: list[dict[str, str]] = []
    for argument in arguments:
        key = argument.partition("=")[0].strip("+~") or argument
        line = next((line for line in shared if key not in line), None)
        if line is None:
            shared.append(line := {})
        line[key] = argument
    return [list(line.values()) for line in shared]


@pytest.mark.parametrize("arguments", lines(ONE), ids=" ".join)
def test_each_mistake_is_named_once_with_what_is_allowed_and_the_rest_is_kept(arguments):
    config, overrides, mistakes = composed("out=kept", *arguments, "layers=[conv1]")
    assert len(mistakes) == len(arguments)
    for argument in arguments:
        (told,) = [mistake for mistake in mistakes if mistake.startswith(ONE[argument])]
        assert "\n" not in told
        assert "_type=" not in told, "OmegaConf's own words"
    assert (config.out, config.layers) == ("kept", ["conv1"])
    assert config.recipe.octaves, "the rest composes"
    assert {"out=kept", "layers=[conv1]"} <= set(overrides)


def test_a_mistake_alone_is_named_as_beside_others():
    for argument in ("seds=[0]", "metric=[l1,l3]"):
        (told,) = composed(argument).mistakes
        assert told.startswith(ONE[argument])


def test_several_wrong_values_of_one_group_are_all_named():
    assert [mistake.partition(":")[0] for mistake in composed("metric=[l3,l1,l4]").mistakes] == [
        "metric=l3",
        "metric=l4",
    ]


def test_values_lie_in_the_groups_chosen_beside_them():
    config, overrides, mistakes = composed(
        "target.rwo=2", "target.row=3", "target=neuron", "metrics.l2.constant=7", "metric=l2"
    )
    assert [mistake.partition(":")[0] for mistake in mistakes] == ["target.rwo=2"]
    assert (config.target, config.metrics["l2"].constant) == ({"kind": "neuron", "row": 3, "col": None}, 7.0)


def test_values_are_checked_beside_keys_that_fail():
    mistakes = composed("seds=[0]", "seeds=[1,1]", "recipe.rescue=-1").mistakes
    assert [mistake.partition(":")[0] for mistake in mistakes] == ["seds=[0]", "seeds=[1, 1]", "recipe.rescue=-1"]


def test_a_probes_mistakes_are_told_with_the_others():
    mistakes = composed("probe=[natural,pattern]", "metric=l3", "similarity.top=0", "probes.atlas.count=1").mistakes
    assert [mistake.partition(":")[0] for mistake in mistakes] == [
        "probe=pattern",
        "metric=l3",
        "probes.atlas.count=1",
        "similarity.top=0",
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--multirun", "seeds=[0]"], "--multirun: a sweep is one run here; give lists, as model="),
        (["-m"], "--multirun: a sweep is one run here"),
        (["--config-name", "site"], "--config-name, --config-path: the pages are Atlas's own"),
        (["model=custom"], "model.factory: a value is needed, as model.factory=VALUE"),
        (["name=???"], "name: a value is needed"),
        (["out=${nam}"], "nam"),
        (["+foo=1"], "foo: Key 'foo' not in 'SweepConfig'"),
        (["++recipe.foo=1"], "recipe.foo: Key 'foo' not in 'RecipeConfig'"),
        (
            ["model=custom", "sede=3"],
            r"(?s)sede=3: no such key; did you mean seeds\?.*model.factory: a value is needed",
        ),
    ],
    ids=" ".join,
)
def test_what_cannot_become_a_config_is_refused_before_the_job(arguments, message):
    with pytest.raises(ConfigError, match=message):
        run_job("generate", arguments, lambda *seen: pytest.fail("it was run"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"mine:\n\tsource: custom\n", "line 3: found character '\\t' that cannot start any token"),
        (b"mine: [unclosed\n", "line 3: expected ',' or ']'"),
        (b"mine: !!python/object/apply:os.system ['true']\n", "could not determine a constructor"),
        (b"mine: {source: caf\xe9}\n", "can't decode byte 0xe9"),
        (b"12\n", "Invalid loaded object type: int"),
        (b"- a\n- b\n", "Cannot merge DictConfig with ListConfig"),
        (b"defaults: [mine]\n", "name each other without end"),
        (b"mine: {source: '${'}\n", "no viable alternative"),
    ],
)
def test_a_mistake_in_a_file_of_ones_own_names_the_file(tmp_path, text, message):
    file = tmp_path / "model" / "mine.yaml"
    file.parent.mkdir()
    file.write_bytes(b"# @package models\n" + text)
    (mistake,) = composed("--config-dir", str(tmp_path), "model=mine").mistakes
    with pytest.raises(ConfigError) as error:
        compose_model("mine", str(tmp_path))
    for told in (mistake, str(error.value)):
        assert told.startswith("model=mine")
        assert told.count(str(file)) == 1
        assert message in told
