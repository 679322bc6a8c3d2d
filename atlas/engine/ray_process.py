"""`cluster=local` and `cluster=ray`: an executor whose Ray lives in a process of its own.

Ray ends the process that it lives in when one of its parts dies, and waits where no signal is heard: the driver, which
holds the lock and the counts, does neither.
"""

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from multiprocessing.connection import Connection, Pipe
from typing import Any

import psutil

from atlas.child import import_path, last_words
from atlas.config.schema import ClusterConfig
from atlas.engine.attempt import Attempt
from atlas.engine.events import Draining, Event, Joined, Left
from atlas.engine.executor import ActorShape, ClusterError, ClusterGone
from atlas.engine.ray_messages import EVERY_SLOT, Address, Opening, Refusal
from atlas.engine.signals import StopNow, StopRequest
from atlas.engine.watchers import Sight
from atlas.engine.work import Work

CHILD = "atlas.engine.ray_child"
LOOK = 0.2  # seconds between two looks at whether a signal has come, before Ray is there
CLOSING = 10.0  # seconds that Ray may take to end its actors and itself
SILENCE = 60.0  # seconds without a report after which Ray counts as frozen
PROBE_EVERY = 2.0  # seconds between two looks at whether Ray's parts are there
PROBES = 3  # looks in a row that find one of them gone
# Ray's own sockets listen on 127.0.0.1, as it has them do on desktops; `_node_ip_address="127.0.0.1"` it replaces
LOOPBACK = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}
CONNECTING = 1.0  # seconds to reach a part of Ray


class RayProcess:
    """A RayExecutor in a child process, which is told what to do and reports through a pipe."""

    def __init__(self, work: Work | None, shape: ActorShape, cluster: ClusterConfig, stop: StopRequest) -> None:
        """ClusterError: the cluster cannot be had. ClusterGone: it does not answer in time. StopNow: a signal came."""
        self._where: dict[int, str] = {}
        # by slot: the number of the actor in it, of those started or killed there
        self._actors: Counter[int] = Counter()
        self._silent = 0.0
        self._begin({} if cluster.address else LOOPBACK)
        try:
            self._tell_first((work, shape, cluster.address))
            opening = self._opening(cluster.start_timeout, stop)
        except BaseException:
            self._end()
            raise
        self.slots, self._request, self.nodes = opening.slots, opening.request, opening.nodes
        self._watch = PartWatch(opening.addresses)

    def start(self, slot: int, model: str) -> None:
        self._actors[slot] += 1
        self._where.pop(slot, None)
        self._tell("start", slot, model)

    def load(self, slot: int, model: str) -> None:
        self._tell("load", slot, model)

    def send(self, slot: int, attempt: Attempt) -> None:
        self._tell("send", slot, attempt)

    def kill(self, slot: int) -> None:
        self._actors[slot] += 1
        self._tell("kill", slot)

    def poll(self, timeout: float) -> list[Event]:
        if gone := self._watch.gone():
            raise ClusterGone(gone)
        if not self._pipe.poll(timeout):
            # only time that is spent here counts: the whole job may have been suspended
            self._silent += timeout
            if self._silent > SILENCE:
                raise ClusterGone(f"Ray does not answer: nothing was heard of it for {SILENCE:.0f} s")
            return []
        self._silent = 0.0
        return self._events()

    def where(self, slot: int) -> str:
        return self._where.get(slot, "waiting for resources")

    def request(self) -> str:
        return self._request

    def watch(self, sight: Sight) -> None:
        self._tell("watch", EVERY_SLOT, sight)

    def close(self) -> None:
        self._tell("close", EVERY_SLOT)
        try:
            self._child.wait(CLOSING)
        except subprocess.TimeoutExpired:
            pass
        finally:
            self._end()

    def _begin(self, variables: dict[str, str]) -> None:
        ours, theirs = Pipe()
        self._pipe: Connection = ours
        self._words = tempfile.TemporaryFile()  # noqa: SIM115, it lives as long as the child
        with theirs:
            self._child = subprocess.Popen(
                [sys.executable, "-m", CHILD, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._words,
                env={**os.environ, **variables, "PYTHONPATH": import_path()},
                # no Ctrl-C of the terminal reaches it
                start_new_session=True,
            )

    def _tell_first(self, message: Any) -> None:
        try:
            self._pipe.send(message)
        except OSError:
            raise ClusterError(f"Ray cannot be started: {self._last_words()}") from None

    def _opening(self, seconds: float, stop: StopRequest) -> Opening:
        """What the child says first; StopNow when a signal comes before that."""
        until = time.monotonic() + seconds
        while not self._pipe.poll(LOOK):
            if stop.name is not None:
                raise StopNow
            if time.monotonic() > until:
                raise ClusterGone(f"Ray has not started within {seconds:.0f} s")
        try:
            answer = self._pipe.recv()
        except (EOFError, OSError):
            words = self._last_words()
            killed = (self._child.returncode or 0) < 0  # by the machine's want of memory, as a rule
            raise (ClusterGone if killed else ClusterError)(f"Ray cannot be started: {words}") from None
        if isinstance(answer, Refusal):
            raise ClusterError(answer.reason)
        return answer

    def _tell(self, command: str, *words: Any) -> None:
        """Send a command, whose first word is a slot; that nobody is there any more is found when events are asked for."""
        try:
            self._pipe.send((command, self._actors[words[0]], words))
        except OSError:
            return

    def _events(self) -> list[Event]:
        """All that has been reported, but for what is told of actors that have been killed since."""
        events: list[Event] = []
        try:
            while self._pipe.poll():
                report = self._pipe.recv()
                self._where.update(report.where)
                self._request = report.request or self._request
                events += [event for actor, event in report.events if self._is_current(actor, event)]
        except (EOFError, OSError):
            if not events:
                raise ClusterGone(f"Ray is gone: {self._last_words()}") from None
        return events

    def _is_current(self, actor: int, event: Event) -> bool:
        """Whether an event tells of a slot itself, or of the actor that is in it now."""
        return isinstance(event, Joined | Draining | Left) or actor == self._actors[getattr(event, "slot", -1)]

    def _last_words(self) -> str:
        """How the child ended, and the last thing it wrote."""
        try:
            code = self._child.wait(CLOSING)
        except subprocess.TimeoutExpired:
            return "its process does not answer"
        self._words.seek(0)
        words = last_words(self._words.read().decode(errors="replace"))
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        return f"its process ended with {how}" + (f" ({words})" if words else "")

    def _end(self) -> None:
        """End the child and all of Ray that it has started: they are of one session."""
        for process in psutil.process_iter():
            try:
                if os.getsid(process.pid) == self._child.pid:
                    process.kill()
            except (OSError, psutil.Error):
                continue
        self._child.wait()
        self._pipe.close()
        self._words.close()


class PartWatch:
    """Looks now and then whether the parts of Ray listen without which nothing goes on."""

    def __init__(self, addresses: dict[str, Address]) -> None:
        """Parts that cannot be seen from here at the beginning are not looked at."""
        self.addresses = {name: address for name, address in addresses.items() if _listens(address)}
        self.missed: Counter[str] = Counter()  # looks in a row, by name
        self.next = time.monotonic()

    def gone(self) -> str | None:
        """Which part is gone; None as long as all are there."""
        if time.monotonic() < self.next:
            return None
        for name, address in self.addresses.items():
            self.missed[name] = 0 if _listens(address) else self.missed[name] + 1
            if self.missed[name] >= PROBES:
                return f"Ray's {name} at {address[0]}:{address[1]} is gone"
        self.next = time.monotonic() + PROBE_EVERY
        return None


def _listens(address: Address) -> bool:
    try:
        socket.create_connection(address, CONNECTING).close()
    except OSError:
        return False
    return True
