"""What `verify` found: what was looked at, which promises are broken, what is missing, and the verdict."""

from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

import pyarrow as pa

PROBLEMS = pa.schema([("kind", pa.string()), ("place", pa.string()), ("what", pa.string())])


class Problem(NamedTuple):
    """`broken` (a promise), `failed` or `left` (a task without its image); where, and what."""

    kind: str
    place: str
    what: str


@dataclass
class Report:
    """What was looked at, and what was found."""

    problems: list[Problem] = field(default_factory=list)
    files: int = 0
    images: int = 0
    planned: int = 0
    ok: int = 0
    dead: int = 0
    failed: int = 0
    left: int = 0

    @property
    def broken(self) -> int:
        return sum(problem.kind == "broken" for problem in self.problems)

    @property
    def whole(self) -> bool:
        return not self.problems

    @property
    def exit_code(self) -> int:
        """1: a promise is broken; 3: nothing is, but something is missing; 0: whole."""
        return 1 if self.broken else 0 if self.whole else 3

    def summary(self) -> str:
        state = (
            f"{self.broken:,} problems" if self.broken else "whole" if self.whole else "nothing broken, but not whole"
        )
        counts = {name: getattr(self, name) for name in ("ok", "dead", "failed", "left")}
        held = ", ".join(f"{number:,} {name}" for name, number in counts.items() if number)
        return f"{state}: {self.planned:,} images planned ({held}); {self.images:,} images, {self.files:,} tables read"

    def table(self) -> pa.Table:
        return pa.Table.from_pylist([problem._asdict() for problem in self.problems], schema=PROBLEMS)

    def plain(self) -> dict[str, Any]:
        """As plain values, the verdict first."""
        problems = [problem._asdict() for problem in self.problems]
        return {"whole": self.whole, **asdict(self), "broken": self.broken, "problems": problems}

    def blame(self, place: str, what: str) -> None:
        self.problems.append(Problem("broken", place, what))
