"""A failed image's row has its error in one line, and all that Python said of it in another column."""

import traceback

import pytest

from atlas.store.failure_text import LONGEST, failure_columns


class Odd(Exception):
    pass


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (ValueError("boom"), "boom"),
        (ValueError("first\n  second\n\nthird: x"), "first second third: x"),
        (Odd("of a module"), "of a module"),
        (KeyError(), "KeyError"),
        (RuntimeError("x" * 2000), "x" * (LONGEST - 1) + "…"),
    ],
)
def test_the_message_is_one_line_and_the_traceback_is_whole(error, message):
    try:
        try:
            raise TypeError("cause")
        except TypeError as cause:
            raise error from cause
    except Exception as raised:
        text = "".join(traceback.format_exception(raised))
    columns = failure_columns(type(error).__name__, text)
    assert columns == {"error_type": type(error).__name__, "error_message": message, "traceback": text}


def test_what_is_no_traceback_is_the_message():
    assert failure_columns("Death", "its worker died\n twice ") == {
        "error_type": "Death",
        "error_message": "its worker died twice",
        "traceback": None,
    }
