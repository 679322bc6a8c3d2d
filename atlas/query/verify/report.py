"""The result of `verify`: what was read, which promises are broken, what is missing, and the verdict."""

from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

import pyarrow as pa

PROBLEM_COLUMNS = pa.schema([("kind", pa.string()), ("place", pa.string()), ("what", pa.string())])


class Problem(NamedTuple):
    """Something that keeps an atlas from being whole."""

    kind: str  # `broken` (a promise), `failed` or `left` (a task without its image)
    place: str  # a file, or the features concerned
    what: str


@dataclass
class Report:
    """How much was read, how the tasks stand, and every problem."""

    problems: list[Problem] = field(default_factory=list)
    files: int = 0  # tables read
    images: int = 0  # images checked
    planned: int = 0  # tasks, of which the next four are the parts
    ok: int = 0
    dead: int = 0
    failed: int = 0
    left: int = 0

    @property
    def broken(self) -> int:
        """How many promises are broken."""
        return sum(problem.kind == "broken" for problem in self.problems)

    @property
    def whole(self) -> bool:
        """Whether nothing is broken and nothing is missing."""
        return not self.problems

    @property
    def exit_code(self) -> int:
        """1: a promise is broken; 3: nothing is, but something is missing; 0: whole."""
        return 1 if self.broken else 0 if self.whole else 3

    def summary(self) -> str:
        """The verdict and the counts in one line."""
        verdict = "whole" if self.whole else "nothing broken, but not whole"
        if self.broken:
            verdict = f"{self.broken:,} problems"
        counts = {name: getattr(self, name) for name in ("ok", "dead", "failed", "left")}
        parts = ", ".join(f"{number:,} {name}" for name, number in counts.items() if number)
        read = f"{self.images:,} images, {self.files:,} tables read"
        return f"{verdict}: {self.planned:,} images planned ({parts}); {read}"

    def table(self) -> pa.Table:
        """The problems, a row for each."""
        return pa.Table.from_pylist([problem._asdict() for problem in self.problems], schema=PROBLEM_COLUMNS)

    def plain(self) -> dict[str, Any]:
        """The report as plain values for JSON, the verdict first."""
        problems = [problem._asdict() for problem in self.problems]
        return {"whole": self.whole, **asdict(self), "broken": self.broken, "problems": problems}

    def blame(self, place: str, what: str) -> None:
        """Add a broken promise."""
        self.problems.append(Problem("broken", place, what))
