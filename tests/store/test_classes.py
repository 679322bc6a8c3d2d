"""The table of class names: by model and weights, whole, and left alone when nothing changes."""

from dataclasses import replace
from pathlib import Path

from made_cards import card, layer

from atlas.records import ModelCard
from atlas.store.classes import CLASSES, write_classes
from atlas.store.index import read_table


def classifier(name: str, digest: str, *classes: str) -> ModelCard:
    head = replace(layer("head", 0, max(1, len(classes)), 1), classes=classes)
    return replace(card(name, digest), layers=(layer("conv", 1, 3), head))


def names(path: Path) -> list[tuple[str, str, str]]:
    return [(row["feature"], row["weights"], row["name"]) for row in read_table(path).to_pylist()]


def test_each_model_and_weights_keep_their_names_and_the_newest_replace_theirs(tmp_path: Path) -> None:
    path = tmp_path / "classes.parquet"
    write_classes(path, [classifier("b", "d1", "cat", "dog"), classifier("a", "d1")])
    write_classes(path, [classifier("a", "d1", "x"), classifier("b", "d2", "car")])
    write_classes(path, [classifier("b", "d1", "Cat", "Dog")])
    assert names(path) == [
        ("a/head:0", "none(seed 0)@d1", "x"),
        ("b/head:0", "none(seed 0)@d1", "Cat"),
        ("b/head:1", "none(seed 0)@d1", "Dog"),
        ("b/head:0", "none(seed 0)@d2", "car"),
    ]
    assert read_table(path).schema == CLASSES


def test_a_file_that_says_so_already_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "classes.parquet"
    write_classes(path, [classifier("a", "d")])
    assert not path.exists(), "no names, no file"
    write_classes(path, [classifier("a", "d", "x", "y")])
    before = path.stat().st_mtime_ns, path.stat().st_ino
    write_classes(path, [classifier("a", "d", "x", "y"), classifier("b", "d")])
    assert (path.stat().st_mtime_ns, path.stat().st_ino) == before
