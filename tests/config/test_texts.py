"""What a user types as a name or a path is what the job gets, whatever Hydra's grammar would make of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atlas.config.compose import run_job
from atlas.config.mistakes import ConfigError
from atlas.config.texts import as_texts
from tests.config.composing import composed

pytestmark = pytest.mark.job

NUMBERS = ("2026_11_27", "1.10", "7e12345", "1e3", "true", "null", "0x10", "nan", "-1", "1:30")
PATHS = (
    *("café [1].png", "a=b,c.png", "it's.png", "[1].png", "[a,b]", "a b.png", "{x}.png", "$d.png", "${x}.png"),
    *("x,y.png", "'z'.png", '"q".png', "a\\b.png", "(1).png", "null"),
)


def saliency(*arguments: str) -> tuple:
    return run_job("saliency", list(arguments), lambda *composed: composed)


@pytest.mark.parametrize("name", NUMBERS)
def test_a_name_that_looks_like_a_number_is_kept(name):
    config, overrides, _ = composed(f"name={name}")
    assert (config.name, config.out, overrides) == (name, f"outputs/{name}", [f"name={name}"])


def test_a_path_that_exists_is_kept_whatever_it_holds(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for path in PATHS:
        (tmp_path / path).touch()
        line = (f"image={path}", f"models.patternnet.weights={path}", f"out={path}")
        config, overrides, mistakes = saliency(*line)
        assert (config.image, config.models["patternnet"].weights, config.out) == (path, path, path)
        assert (overrides, mistakes) == (list(line), [])


def test_a_path_that_does_not_exist_is_kept_too_where_it_is_no_list():
    for path in ("café [1].png", "it's.png", "no=where.png", "2026_11_27"):
        assert saliency(f"image={path}")[0].image == path
    for path in ("runs/[1] a,b", "it's", "[a,b]", "1.10", "a{b}"):
        assert composed(f"out={path}").config.out == path


@pytest.mark.parametrize(
    ("given", "layers"),
    [
        ("0", "0"),
        ("null", "null"),
        ("[0,1_000, null,1.10,true]", ["0", "1_000", "null", "1.10", "true"]),
        ("['[0]',[1],a*]", ["[0]", "[1]", "a*"]),
        ("[層,'x, y',a b]", ["層", "x, y", "a b"]),
        ("{0: [1], 1.10: all, null: '0:2', b.1: 3}", {"0": [1], "1.10": "all", "null": "0:2", "b.1": 3}),
        ("[]", []),
        ("all", "all"),
    ],
)
def test_layers_are_named_as_they_are(given, layers):
    config, overrides, mistakes = composed(f"layers={given}")
    assert (config.layers, overrides, mistakes) == (layers, [f"layers={given}"], [])


def test_what_is_meant_for_hydra_is_left_to_it(monkeypatch):
    monkeypatch.setenv("WHERE", "/data/x")
    config = composed("name=mine", "out='a b/${name}'").config
    assert config.out == "a b/mine"
    assert composed("out=${oc.env:WHERE}").config.out == "/data/x"
    assert composed("probes.atlas.folder=null").config.probes["atlas"].folder is None
    assert saliency("image=[a.png,'b c.png',d [1].png]")[0].image == ["a.png", "b c.png", "d [1].png"]
    assert "as image=[a.png,b.png]" in _refusal("image=a.png,b.png")


def test_a_home_is_found(monkeypatch):
    monkeypatch.setenv("HOME", "/home/me")
    assert composed("out=~/atlases/x").config.out == "/home/me/atlases/x"


def test_what_cannot_be_read_is_shown_in_quotes_and_has_no_consequences():
    refusal = _refusal("category=it's")
    assert "a text goes in quotes" in refusal
    assert refusal.count("a value is needed") == 1, "image is missing indeed"
    assert "image: a value is needed" not in _refusal("image=a.png,b.png")


def test_the_layers_of_a_model_that_cannot_be_read_are_no_mistake_of_their_own():
    def body(config, overrides, mistakes):
        raise ConfigError(
            [*mistakes, "layers=inception4a: matches no layer of patternnet", "seeds=[]: a list is wanted"]
        )

    with pytest.raises(ConfigError) as error:
        run_job("generate", ["model=1", "layers=[inception4a]"], body)
    assert [mistake.partition("=")[0] for mistake in error.value.mistakes] == ["model", "seeds"]


@given(st.text(min_size=1))
def test_a_text_is_quoted_once_and_known_by_what_was_typed(text):
    texts = as_texts([f"name={text}"])
    assert texts.original(texts.arguments[0]) == f"name={text}"
    assert as_texts(["--config-dir", "name=1.10"]).arguments == ["--config-dir", "name=1.10"]


def _refusal(*arguments: str) -> str:
    """What a job says that has no mistakes of its own."""

    def body(config, overrides, mistakes):
        raise ConfigError(mistakes)

    with pytest.raises(ConfigError) as error:
        run_job("saliency", list(arguments), body)
    return str(error.value)
