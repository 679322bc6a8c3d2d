"""A file of class names is read in each of its forms, and refused with its place, what is wrong and what is wanted."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atlas.config.class_file import read_class_file
from atlas.config.class_words import classes_called, nearest_class
from atlas.config.mistakes import ConfigError

NAMES = ("red house", "tabby, tabby cat", "Bär")


@pytest.mark.parametrize(
    "text",
    [
        "red house\ntabby, tabby cat\nBär",
        "\ufeffred house\r\n  tabby, tabby cat \r\nBär\r\n\r\n",
        json.dumps(NAMES),
        json.dumps({"2": "Bär", "0": "red house", "1": "tabby, tabby cat"}, indent=1),
    ],
)
def test_every_form_gives_the_names_in_order(tmp_path: Path, text: str) -> None:
    file = tmp_path / "classes"
    file.write_text(text, encoding="utf-8", newline="")
    assert read_class_file("models.m.classes", str(file), 3) == NAMES


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"a\nb", "it names 2 classes, and the model has 3"),
        (b"", "it names 0 classes, and the model has 3"),
        (b"a\n\nc", "class 1 is called ''"),
        (b"a\nb\na", "classes 0 and 2 are both called 'a'; give each a name of its own"),
        (b"a\nb\n\xff", "this is no text in UTF-8; wanted is one name a line"),
        (b"a\nb\x00\nc", "class 1 is called 'b\\x00'"),
        (b'["a", "b", 3]', "class 2 is called 3: a line of text is wanted"),
        (b'["a", "b", "c"', "it begins as JSON and is none (Expecting ',' delimiter"),
        (b'{"0": "a", "1": "b", "3": "c"}', "key '3': the numbers of 3 classes are wanted, 0 to 2"),
        (b'{"0": "a", "1": ["n01", "b"], "2": "c"}', "class 1 is called ['n01', 'b']"),
    ],
)
def test_what_does_not_name_each_class_is_refused(tmp_path: Path, data: bytes, said: str) -> None:
    file = tmp_path / "classes"
    file.write_bytes(data)
    with pytest.raises(ConfigError) as caught:
        read_class_file("models.m.classes", str(file), 3)
    assert len(caught.value.mistakes) == 1
    assert str(caught.value).startswith(f"models.m.classes={file}: {said}")


def test_no_file_and_a_folder_are_told_apart(tmp_path: Path) -> None:
    for path, said in ((tmp_path / "none.txt", "no such file"), (tmp_path, "Is a directory")):
        with pytest.raises(ConfigError, match=said):
            read_class_file("models.m.classes", str(path), 3)


@given(st.lists(st.text("aBc é", min_size=1, max_size=3).filter(str.strip), min_size=1, unique_by=str.casefold))
def test_a_whole_name_in_any_case_means_its_class(names: list[str]) -> None:
    kept = [name.strip() for name in names]
    for number, name in enumerate(kept):
        assert number in classes_called(f" {name.upper()} ", kept)


def test_whole_names_go_before_first_parts_and_those_before_others() -> None:
    names = ("crane", "machine, crane", "tub, vat", "vat, tub", "hut, vat")
    assert classes_called("crane", names) == [0]
    assert classes_called("vat", names) == [3]
    assert classes_called("machine", names) == [1]
    assert classes_called("machines", names) == []
    assert nearest_class("machines", names).startswith("did you mean machine or machine, crane")
