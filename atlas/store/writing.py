"""Who may write an atlas: one job alone, or the parts of a job, each of which has a lock of its own.

What parts share (atlas.json, plans/, config/, staging/ when it is swept) they write one after another, under the lock
that is the whole atlas's.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from types import TracebackType
from typing import Self

from atlas.records import Part
from atlas.store.lock import Lock, Locked, is_alive, owner_name, read_owner
from atlas.store.paths import AtlasPaths


def parts_at_work(paths: AtlasPaths) -> list[Part]:
    """The parts whose process lives."""
    owners = {part: read_owner(paths.lock_of(part)) for part in paths.parts()}
    return [part for part, owner in owners.items() if owner is not None and is_alive(owner)]


def is_written(paths: AtlasPaths) -> bool:
    """Whether some process is at work on an atlas."""
    owner = read_owner(paths.lock)
    return (owner is not None and is_alive(owner)) or bool(parts_at_work(paths))


def forget_parts(paths: AtlasPaths, part: Part | None) -> None:
    """Remove what is told of an earlier division into parts, whose jobs have all ended; what they made is the atlas's."""
    for former in paths.parts():
        if part is None or former.count != part.count:
            paths.lock_of(former).unlink(missing_ok=True)
            paths.status_of(former).unlink(missing_ok=True)


class Writing:
    """Hold an atlas, or a part of it, for writing: `with Writing(paths) as writing: …`; `lock` is what is held.

    Locked: somebody else is at work on it, and could do the same work.
    """

    def __init__(self, paths: AtlasPaths, part: Part | None = None, plan: str = "") -> None:
        """plan: what all parts are cut from; those of another plan may have the same images in other parts."""
        self.paths, self.part = paths, part
        self._facts = {} if part is None else {"part": str(part), "plan": plan}
        self._all, self._shared = ExitStack(), ExitStack()
        self.lock = Lock(paths.lock_of(part), self._facts)

    def __enter__(self) -> Self:
        with ExitStack() as failing:
            failing.push(self.__exit__)
            if self.part is not None:
                self._shared.enter_context(Lock(self.paths.lock, self._facts, waits=True))
                self._refuse_others()
            self._all.enter_context(self.lock)
            if self.part is None:
                self._refuse_others()
            failing.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._all.close()
        self._shared.close()

    def opened(self) -> None:
        """What parts share is written: another part may begin."""
        self._shared.close()

    @contextmanager
    def ending(self) -> Iterator[bool]:
        """Let a part go, and hold what parts share; yields whether no other part is at work: so one of them is the last."""
        if self.part is None:
            yield True
            return
        with Lock(self.paths.lock, self._facts, waits=True):
            self._all.close()
            yield not parts_at_work(self.paths)

    def _refuse_others(self) -> None:
        for part in parts_at_work(self.paths):
            owner = read_owner(self.paths.lock_of(part))
            if owner is None or part == self.part:
                continue
            if self.part is None:
                raise Locked(
                    f"{self.paths.root} is being written by {owner_name(owner)}; wait for all parts, or stop them"
                )
            if part.count != self.part.count or owner.get("plan") != self._facts["plan"]:
                raise Locked(
                    f"{self.paths.root} is being written by {owner_name(owner)}, which is not a part of the same: "
                    f"all of {self.part.count} parts need the same command, on machines alike (cluster.device)"
                )
