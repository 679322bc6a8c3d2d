"""A SLURM of this machine alone: its real daemons, two nodes that share it, ports and folders of their own."""

import getpass
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.ports import free_ports

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch")
NODES = ("n1", "n2")
CONFIG = """\
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmUser={user}
SlurmdUser={user}
SlurmctldPort={ports[0]}
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket={folder}/munge.socket
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
MpiDefault=none
ReturnToService=2
KillWait=30
# of a job that is queued again
SchedulerParameters=requeue_delay=1,sched_min_interval=100000
NodeName=n1 NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[1]} CPUs=1 State=UNKNOWN
NodeName=n2 NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[2]} CPUs=1 State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES State=UP
"""


@dataclass(frozen=True)
class Slurm:
    """A running one, which is asked as its users ask it."""

    config: Path

    def ask(self, *words: str, cwd: Path | None = None, **variables: str) -> str:
        """What a command says; CalledProcessError when it fails."""
        environment = {**os.environ, "SLURM_CONF": str(self.config), **variables}
        done = subprocess.run(words, capture_output=True, text=True, check=True, env=environment, cwd=cwd, timeout=60)
        return done.stdout.strip()

    def state(self, job: str) -> str:
        """PENDING, RUNNING, COMPLETED, …"""
        words = dict(word.split("=", 1) for word in self.ask("scontrol", "show", "job", job).split() if "=" in word)
        return words["JobState"]

    def wait(self, job: str, *states: str, seconds: float = 200) -> str:
        """The state of a job, once it is one of these."""
        end = time.monotonic() + seconds
        while (state := self.state(job)) not in states:
            assert time.monotonic() < end, f"job {job} is {state} for {seconds:.0f} s"
            time.sleep(0.5)
        return state


@contextmanager
def slurm(folder: Path) -> Iterator[Slurm]:
    """Start munge, a controller and two nodes in a folder, and end them."""
    config = folder / "slurm.conf"
    config.write_text(
        CONFIG.format(
            host=socket.gethostname().split(".")[0], user=getpass.getuser(), ports=free_ports(3), folder=folder
        )
    )
    key = folder / "munge.key"
    key.write_bytes(os.urandom(1024))
    key.chmod(0o600)
    files = {name: folder / f"munge.{name}" for name in ("socket", "pid", "log", "seed")}
    munge = [
        f"--{option}={files[option.removesuffix('-file')]}"
        for option in ("socket", "pid-file", "log-file", "seed-file")
    ]
    with ExitStack() as stack:
        for words in (
            ["munged", "--foreground", "--force", f"--key-file={key}", *munge],
            ["slurmctld", "-D", "-f", str(config)],
            *(["slurmd", "-D", "-N", node, "-f", str(config)] for node in NODES),
        ):
            stack.enter_context(_daemon(words, folder))
        running = Slurm(config)
        _until_idle(running)
        yield running


@contextmanager
def _daemon(words: list[str], folder: Path) -> Iterator[None]:
    program = shutil.which(words[0], path=f"{os.environ['PATH']}:/usr/sbin")
    assert program is not None, f"{words[0]} is not here: `make slurm` installs it"
    with open(folder / f"{words[0]}.out", "ab") as out:
        process = subprocess.Popen([program, *words[1:]], stdout=out, stderr=out)
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _until_idle(running: Slurm) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        with suppress(subprocess.CalledProcessError):
            if running.ask("sinfo", "--noheader", "--format=%D %t") == f"{len(NODES)} idle":
                return
        time.sleep(0.5)
    raise AssertionError("SLURM's nodes do not come up")
