"""The process that makes one card: a model's name and config in on stdin, its card or ConfigError out on stdout."""

import os
import pickle
import signal
import sys

from atlas.config.mistakes import ConfigError
from atlas.zoo.card import make_card
from atlas.zoo.foreign import reason


def main() -> None:
    """Leave Ctrl-C to the parent, and stdout to the answer: torch.hub prints about its downloads there."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    name, config = pickle.load(sys.stdin.buffer)
    try:
        answer = make_card(name, config)
    except ConfigError as error:
        answer = error
    except Exception as error:  # what other people's code has raised where nobody looked for it
        answer = ConfigError([f"models.{name} cannot be read: {reason(error)}"])
    with answers:
        pickle.dump(answer, answers)


if __name__ == "__main__":
    main()
