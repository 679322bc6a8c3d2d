"""A key of a mapping may stand in quotes, and a text that is no key is left as it is."""

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import given
from hypothesis import strategies as st

from atlas.config.quoted_keys import unquoted_keys

PARSER = OverridesParser.create()


@given(st.lists(st.text("abz_.*?:[]{}=, \\", min_size=1).filter(lambda key: key == key.strip()), unique=True))
def test_hydra_reads_the_key_that_was_meant(keys: list[str]) -> None:
    pairs = ["'" + key.replace("\\", "\\\\") + "': '0:2'" for key in keys]
    override = "layers={" + ", ".join(pairs) + "}"
    assert PARSER.parse_override(unquoted_keys(override)).value() == dict.fromkeys(keys, "0:2")


@pytest.mark.parametrize("override", ["a='{\"b\": 1}'", "a=['b','c']", "a={b: 'c, d: e'}", "model=x", "a='it\\'s: {'"])
def test_what_is_no_key_is_left(override: str) -> None:
    assert unquoted_keys(override) == override
