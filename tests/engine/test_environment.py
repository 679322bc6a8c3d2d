"""A node that works with something else is told apart, and by what."""

from atlas.engine.environment import difference, environment

HERE = {"atlas": "0.1.0", "python": "3.11", "torch": "2.13.0", "timm": "1.0"}


def test_this_machine_does_not_differ_from_itself() -> None:
    assert difference(environment(), environment()) is None
    assert "+" not in environment()["torch"], "a build for another CUDA is the same torch"


def test_what_differs_or_is_missing_is_named_and_what_is_there_beside_is_not() -> None:
    there = HERE | {"torch": "2.11.0", "torchvision": "0.26.0"}
    del there["timm"]
    assert difference(there, HERE) == "torch 2.11.0 (2.13.0 here), timm is missing (1.0 here)"
    assert difference(HERE | {"torchvision": "0.26.0"}, HERE) is None
