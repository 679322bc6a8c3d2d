"""The files of one dream: its frames as they come, the finished picture with what is known of it, and nothing older."""

import json
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from PIL import Image

from atlas.store.images import read_note, write_pixels

DREAM = "dream.png"


@dataclass(frozen=True)
class Record:
    """What is known of a finished dream."""

    steps: int
    score_start: float
    score: float  # mean activation of the target on the finished picture
    frames: tuple[int, ...]  # after so many steps; the last is the finished picture


@dataclass(frozen=True)
class DreamFiles:
    """Where one dream lies. key: of all that its pixels come of, so that another dream of the same name is none of it."""

    named: Path  # of all its files, without their endings
    key: str

    @property
    def dream(self) -> Path:
        """The finished picture."""
        return self._path(DREAM)

    def frame(self, step: int) -> Path:
        """The picture after so many steps."""
        return self._path(f"{step:04d}.png")

    def finish(self, record: Record, picture: Image.Image) -> None:
        """Write the last frame, and the same once more under the dream's name: with that the dream is finished."""
        note = json.dumps({"key": self.key, **asdict(record)})
        write_pixels(self.frame(record.frames[-1]), picture, note)
        write_pixels(self.dream, picture, note)

    def finished(self) -> Record | None:
        """What is known of this very dream, where an earlier run has finished it and all its frames are there."""
        note = read_note(self.dream)
        if note is None or note.get("key") != self.key:
            return None
        record = Record(note["steps"], note["score_start"], note["score"], tuple(note["frames"]))
        return record if self.hold(record.frames) else None

    def hold(self, steps: Iterable[int]) -> bool:
        """Whether the frames after these steps are there."""
        return all(self.frame(step).is_file() for step in steps)

    def pictures(self, record: Record) -> list[Image.Image]:
        """All frames."""
        return [_picture(self.frame(step)) for step in record.frames]

    def clear(self) -> None:
        """Take away what an earlier dream of the same name has left: another recipe has other frames."""
        ours = re.compile(re.escape(self.named.name) + r"-(\d{4,}\.png|dream\.png|dream\.webp|unfinished\.pt)")
        for path in self.named.parent.iterdir() if self.named.parent.is_dir() else ():
            if ours.fullmatch(path.name):
                path.unlink()

    def _path(self, ending: str) -> Path:
        return self.named.with_name(f"{self.named.name}-{ending}")


def _picture(path: Path) -> Image.Image:
    with Image.open(path) as picture:
        return picture.convert("RGB")
