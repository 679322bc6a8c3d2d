"""The cards of a sweep's models, made in child processes: the job's own process never holds a network."""

import multiprocessing
import signal
import sys
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

from atlas.config.mistakes import ConfigError
from atlas.config.schema import ModelConfig
from atlas.records import ModelCard

PROCESSES = 2  # models in memory at once


def read_cards(models: dict[str, ModelConfig]) -> tuple[dict[str, ModelCard], list[str]]:
    """Each model's card by name, and the mistakes of the models that cannot be read."""
    cards: dict[str, ModelCard] = {}
    mistakes: list[str] = []
    if not models:
        return cards, mistakes
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(PROCESSES, len(models)), mp_context=context, initializer=_quiet) as pool:
        futures = {name: pool.submit(_card, name, config) for name, config in models.items()}
        for name, future in futures.items():
            try:
                cards[name] = _result(name, future)
            except ConfigError as error:
                mistakes += error.mistakes
    return cards, mistakes


def _quiet() -> None:
    """Leave Ctrl-C to the parent process, and stdout to data: torch.hub prints about its downloads there."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.stdout = sys.stderr


def _card(name: str, config: ModelConfig) -> ModelCard:
    # Imported here, in the child: the parent does without torch.
    from atlas.zoo.card import make_card

    return make_card(name, config)


def _result(name: str, future: "Future[ModelCard]") -> ModelCard:
    try:
        return future.result()
    except BrokenProcessPool as error:
        raise ConfigError(
            [f"models.{name}: the process that read the model died; is there enough memory for it?"]
        ) from error
