"""What a site lacks, and what to type about it."""

import json
import shlex

import pytest

from atlas.report.site.write import write_site
from atlas.store.files import write_json
from atlas.store.paths import AtlasPaths
from tests.report.site_files import value

pytestmark = pytest.mark.usefixtures("page")


def test_notes_say_what_is_missing(compared: AtlasPaths) -> None:
    left, failed = value(compared, "atlas")["notes"]
    assert left == ["8 images are not made yet; ", "atlas run", ", as it was typed before, makes the rest"]
    assert failed[::2] == ["2 images failed: ", " lists them, ", " tries them again"]
    words = shlex.split(failed[1])
    assert words[:4] == ["atlas", "sql", "--atlas", str(compared.root)] and len(words) == 5


def test_a_stale_similarity_is_told(made: AtlasPaths) -> None:
    told = json.loads(made.similarity.read_text())
    write_json(made.similarity, {"atlas": {**told["atlas"], "features": 3}})
    known = f"atlas similarity out={made.root}"
    assert ["similarity knows 3 of 34 features; ", known, " brings it up to date"] in write_site(made).notes
