"""Dreams that are not finished, on disk: all that the loop needs to go on, beside the frames it has made so far."""

import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from atlas.dream.dream_files import DreamFiles
from atlas.optvis.batch import State
from atlas.store.files import write_whole

Frames = list[list[int]]  # of each dream, the steps after which it has a frame
BROKEN = (OSError, EOFError, KeyError, TypeError, ValueError, RuntimeError, pickle.UnpicklingError)


@dataclass(frozen=True)
class Unfinished:
    """The file of dreams that are made together; it lies beside the first one's frames."""

    files: list[DreamFiles]

    @property
    def path(self) -> Path:
        first = self.files[0].named
        return first.with_name(f"{first.name}-unfinished.pt")

    def write(self, state: State, frames: Frames) -> None:
        """Keep where the loop is."""
        kept: dict[str, Any] = {"keys": self._keys, "frames": frames, "state": state}
        write_whole(self.path, lambda file: torch.save(kept, file))

    def read(self) -> tuple[State, Frames] | None:
        """Where an earlier run of the same dreams was; None where there was none, or what it left is not whole."""
        try:
            kept = torch.load(self.path, map_location="cpu", weights_only=True)
            state, frames = kept["state"], kept["frames"]
            whole = kept["keys"] == self._keys and all(
                files.hold(steps) for files, steps in zip(self.files, frames, strict=True)
            )
        except BROKEN:
            return None
        return (state, frames) if whole else None

    def remove(self) -> None:
        """All of them are finished."""
        self.path.unlink(missing_ok=True)

    @property
    def _keys(self) -> list[str]:
        return [files.key for files in self.files]
