"""Mistakes a user can make, told all at once: each names the value, the place and what is allowed."""

import difflib
from collections.abc import Callable, Iterable
from typing import TypeVar

T = TypeVar("T")


class ConfigError(Exception):
    """One or more mistakes in what was asked; nothing has been written and no work was begun."""

    def __init__(self, mistakes: Iterable[str]) -> None:
        self.mistakes = tuple(dict.fromkeys(mistakes))
        super().__init__(self.mistakes)  # so that it travels between processes

    def __str__(self) -> str:
        return "\n".join(self.mistakes)


def collect(mistakes: list[str], work: Callable[[], T]) -> T | None:
    """What `work` returns; its mistakes, if that is what it comes to, go to the others."""
    try:
        return work()
    except ConfigError as error:
        mistakes += error.mistakes
        return None


def guess(name: object, allowed: Iterable[str], count: int = 3) -> str | None:
    """A question that offers the allowed names closest to `name`; None where none is close."""
    folded = {other.lower(): other for other in allowed}
    close = [folded[match] for match in difflib.get_close_matches(str(name).lower(), folded, n=count, cutoff=0.55)]
    return "did you mean " + " or ".join(close) + "?" if close else None


def nearest(name: object, allowed: Iterable[str], count: int = 3) -> str:
    """A phrase that names what is allowed: close matches first, else the whole list when it is short."""
    names = list(dict.fromkeys(str(a) for a in allowed))
    question = guess(name, names, count)
    if question is not None:
        return question
    if len(names) <= 16:
        return "allowed: " + ", ".join(names) if names else "there is none"
    return f"allowed are {len(names)} names, such as {', '.join(names[:6])}"
