"""Pictures are found in a fixed order, under names that never meet, or what is missing is said."""

from pathlib import Path, PurePath

import pytest
from PIL import Image

from atlas.config.mistakes import ConfigError
from atlas.store.picture_files import find_pictures, path_for


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    for name in ("b.png", "a.JPG", "sub/a.jpg", "sub/deep/c.webp", ".hidden.png", "out/patternnet/b-1-map.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (2, 2)).save(tmp_path / name)
    for name in ("notes.txt", "sub/model.pt", "paper.pdf", "LICENSE"):
        (tmp_path / name).write_text("no picture")
    return tmp_path


def labels(request: object, out: Path | None = None) -> list[str]:
    return [picture.label.as_posix() for picture in find_pictures(request, out)]


def test_a_folder_is_searched_in_a_fixed_order_without_what_is_plainly_no_picture(pictures: Path) -> None:
    assert labels(str(pictures), pictures / "out") == ["a", "b", "sub/a", "sub/deep/c"]
    assert labels(str(pictures))[2] == "out/patternnet/b-1-map"
    assert labels(str(pictures / "out"), pictures / "out") == ["patternnet/b-1-map"], "asked for by itself"
    assert not any(picture.named for picture in find_pictures(str(pictures)))


def test_a_file_is_known_by_its_name_alone(pictures: Path) -> None:
    (picture,) = find_pictures(str(pictures / "sub" / "a.jpg"))
    assert (picture.name, picture.label, picture.named) == (str(pictures / "sub" / "a.jpg"), PurePath("a"), True)
    assert picture.read().size == (2, 2)


def test_labels_never_meet(pictures: Path) -> None:
    Image.new("RGB", (1, 1)).save(pictures / "b.gif")
    both = [str(pictures / "b.png"), str(pictures / "b.gif")]
    assert labels(both) == ["b.png", "b.gif"]
    assert labels([str(pictures / "a.JPG"), str(pictures / "sub" / "a.jpg")]) == ["a", "sub/a"]
    assert labels([*both, *both, str(pictures / "b.png")]) == ["b.png", "b.gif"], "each once"


def test_the_two_photographs_at_hand_need_no_file() -> None:
    china, flower = find_pictures(["sklearn:china.jpg", "sklearn:flower.jpg"])
    assert (china.name, str(china.label), str(flower.label)) == ("sklearn:china.jpg", "china", "flower")
    assert (china.read().size, china.read().mode) == ((640, 427), "RGB")


def test_every_mistake_is_said(pictures: Path) -> None:
    (pictures / "empty").mkdir()
    asked = [str(pictures / "c.png"), str(pictures / "empty"), "sklearn:chna.jpg", True, "nowhere/x.png"]
    with pytest.raises(ConfigError) as caught:
        find_pictures(asked)
    missing, empty, unknown, kind, nowhere = caught.value.mistakes
    assert missing.startswith(f"image={pictures / 'c.png'}: there is no such file or folder; did you mean b.png")
    assert empty == f"image={pictures / 'empty'}: there is no picture in this folder"
    assert (
        unknown == "image=sklearn:chna.jpg: no such photograph; did you mean sklearn:china.jpg or sklearn:flower.jpg?"
    )
    assert kind.startswith("image=True: the path of a picture")
    assert nowhere == "image=nowhere/x.png: there is no such file or folder"
    with pytest.raises(ConfigError, match=r"image=\[\]: name a picture"):
        find_pictures([])


@pytest.mark.parametrize(
    ("label", "path"),
    [
        ("cat", "cat-3-map.png"),
        ("sub/my cat", "sub/my%20cat-3-map.png"),
        ("../cat", "%2E./cat-3-map.png"),
        (".cat", "%2Ecat-3-map.png"),
    ],
)
def test_a_path_stays_where_it_belongs(label: str, path: str) -> None:
    assert path_for(PurePath(label), "3-map.png").as_posix() == path


def test_long_names_are_shortened_and_stay_apart() -> None:
    one, other = (path_for(PurePath("猫" * 80 + end), "3-overlay.png") for end in "ab")
    assert one != other
    assert max(len(one.name), len(other.name)) < 255
