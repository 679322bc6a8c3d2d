"""The cards of a sweep's models, each made in a process of its own: the job's process never holds a network.

`python -m atlas.zoo.card_process` is that process. Unlike multiprocessing's, it never runs the caller's script again.
"""

import os
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from atlas.config.mistakes import ConfigError
from atlas.config.schema import ModelConfig
from atlas.records import ModelCard

PROCESSES = 2  # models in memory at once


def read_cards(models: dict[str, ModelConfig]) -> tuple[dict[str, ModelCard], list[str]]:
    """Each model's card by name, and the mistakes of the models that cannot be read."""
    with ThreadPoolExecutor(PROCESSES) as pool:
        answers = dict(zip(models, pool.map(read_card, models, models.values()), strict=True))
    cards = {name: answer for name, answer in answers.items() if isinstance(answer, ModelCard)}
    errors = [answer for answer in answers.values() if isinstance(answer, ConfigError)]
    return cards, [mistake for error in errors for mistake in error.mistakes]


def read_card(name: str, config: ModelConfig) -> ModelCard | ConfigError:
    """The card of one model, or what is wrong with it; what its code prints goes to stderr."""
    child = subprocess.run(
        [sys.executable, "-m", "atlas.zoo.card_process"],
        input=pickle.dumps((name, config)),
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in [*sys.path, os.getcwd()] if path)},
        check=False,
    )
    if child.returncode == 0:
        return pickle.loads(child.stdout)
    how = f"signal {-child.returncode}" if child.returncode < 0 else f"exit code {child.returncode}"
    hint = "; is there enough memory for it?" if child.returncode < 0 else ", as said above"
    return ConfigError([f"models.{name}: the process that read the model died ({how}){hint}"])
