"""The cards of a sweep's models, each made in a process of its own, or in this one where the work will be done here.

`python -m atlas.zoo.card_process` is that process. Unlike multiprocessing's, it never runs the caller's script again.
"""

import os
import pickle
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stdout
from functools import partial
from typing import IO

from atlas.child import import_path, last_words
from atlas.config.mistakes import ConfigError
from atlas.config.schema import ModelConfig
from atlas.records import ModelCard
from atlas.zoo.kept_model import drop, keep

PROCESSES = 2  # models in memory at once
ELSEWHERE = ("custom",)  # sources of code that nobody knows
TAIL = 20_000  # bytes of what a process has said that are kept


def read_cards(models: dict[str, ModelConfig], *, here: bool = False) -> tuple[dict[str, ModelCard], list[str]]:
    """Each model's card by name, and the mistakes of the models that cannot be read.

    here: one model alone is read in this process, and kept for the work (`kept_model`); of several none could be. A user's
    own code, which may end the process that it runs in, is tried elsewhere first all the same.
    """
    sources = [model.source for model in models.values()]
    if here and len(sources) == 1 and sources[0] not in ELSEWHERE:
        answers = [_read_here(name, model) for name, model in models.items()]
    else:
        with ThreadPoolExecutor(PROCESSES) as pool:
            answers = list(pool.map(read_card, models, models.values()))
    cards = {name: answer for name, answer in zip(models, answers, strict=True) if isinstance(answer, ModelCard)}
    errors = [answer for answer in answers if isinstance(answer, ConfigError)]
    return cards, [mistake for error in errors for mistake in error.mistakes]


def _read_here(name: str, config: ModelConfig) -> ModelCard | ConfigError:
    # Imported here: torch comes with it, which a driver of workers elsewhere does without.
    from atlas.zoo.card import card_or_mistake

    drop()
    with redirect_stdout(sys.stderr):
        return card_or_mistake(name, config, partial(keep, config))


def read_card(name: str, config: ModelConfig) -> ModelCard | ConfigError:
    """The card of one model, or what is wrong with it; what its code prints goes to stderr."""
    child = subprocess.Popen(
        [sys.executable, "-m", "atlas.zoo.card_process"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": import_path()},
    )
    assert child.stdin is not None
    assert child.stdout is not None
    assert child.stderr is not None
    with child, ThreadPoolExecutor(1) as pool:
        said = pool.submit(_pass_on, child.stderr)
        _hand_over(child.stdin, pickle.dumps((name, config)))
        answer = child.stdout.read()
    if child.returncode == 0:
        return pickle.loads(answer)
    return ConfigError([f"models.{name}: the process that read the model {_ending(child.returncode, said.result())}"])


def _ending(code: int, said: str) -> str:
    how = f"died ({signal.Signals(-code).name if code < 0 else f'exit code {code}'})"
    if words := last_words(said):
        return f"{how}; its last words: {words}"
    # the kernel kills without a word what has taken all memory
    return f"{how}; is there enough memory for it?" if code == -signal.SIGKILL else how


def _hand_over(pipe: IO[bytes], data: bytes) -> None:
    """Write all and close; a process that has died already tells why by itself."""
    try:
        with pipe:
            pipe.write(data)
    except BrokenPipeError:
        return


def _pass_on(pipe: IO[bytes]) -> str:
    """Copy what a process prints to our stderr as it comes; returns the end of it."""
    tail = b""
    while data := os.read(pipe.fileno(), 65536):
        tail = (tail + data)[-TAIL:]
        sys.stderr.write(data.decode(errors="replace"))
        sys.stderr.flush()
    return tail.decode(errors="replace")
