"""What a known answer is: a check that is asked for, what it answers, and what becomes of it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple


class Answer(NamedTuple):
    """Whether something is as it must be, and what was found, against what is wanted."""

    passed: bool
    found: str


@dataclass(frozen=True)
class Check:
    """One known answer of METHODS §5."""

    number: int
    name: str  # what is so, in one plain sentence
    ask: Callable[[], Answer]


@dataclass(frozen=True)
class CheckResult:
    """What became of a check."""

    check: Check
    passed: bool
    found: str
    seconds: float
