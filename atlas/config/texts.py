"""Keys whose values are the user's own text: each is quoted before Hydra sees it, so that `name=1.10` stays that.

Hydra's grammar would read numbers, dates and `null` as such, and refuse most characters that a path may have.
"""

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from atlas.config.quoting import quoted

# by the last part of a key
PATHS = ("out", "image", "weights", "folder", "classes", "picture", "spectrum", "directions")
WORDS = ("name", "entry", "factory", "address", "layer", "layers", "with")
LISTS = ("image", "layers", "with")  # of these a list is several texts
NULLS = ("entry", "factory", "address", "folder", "classes", "picture", "layer")  # of these null is no text
OPTIONS = ("--config-dir", "-cd", "--config-name", "-cn", "--config-path", "-cp", "--package", "-p")  # with a value
KEY = re.compile(r"\+{0,2}([\w.$/@-]+)=(.*)", re.DOTALL)
IN_QUOTES = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"", re.DOTALL)
ESCAPED = re.compile(r"\\[\\()\[\]{}:=, \t]")  # as Hydra's grammar has it without quotes
INTERPOLATION = re.compile(r"\$\{[^}]+\}")
CLOSING = {"[": "]", "{": "}", "(": ")"}


@dataclass
class Texts:
    """A command line as Hydra is given it, and what must be said of it in the user's own words."""

    arguments: list[str] = field(default_factory=list)
    typed: dict[str, str] = field(default_factory=dict)  # by the argument that Hydra is given
    keys: dict[str, str] = field(default_factory=dict)  # of mappings, by their stand-ins: Hydra has no quotes for them

    def original(self, text: str) -> str:
        """A message, or an override, with what was typed in place of what Hydra is given."""
        for given, typed in self.typed.items():
            text = text.replace(given, typed)
        return text


def as_texts(arguments: Sequence[str]) -> Texts:
    """A command line with the values of text keys in quotes."""
    texts = Texts()
    before = ""
    for argument in arguments:
        given = argument if before in OPTIONS else _argument(argument, texts)
        if given != argument:
            # Hydra tells of its overrides with what is escaped in them resolved
            texts.typed |= {given: argument, given.replace("\\${", "${"): argument}
        texts.arguments.append(given)
        before = argument
    return texts


def _argument(argument: str, texts: Texts) -> str:
    parts = KEY.fullmatch(argument)
    if parts is None or ".kwargs" in parts[1]:
        return argument
    *above, key = parts[1].split(".")
    if key not in (*PATHS, *WORDS) and "zones" not in above:
        return argument
    return argument[: parts.start(2)] + _value(parts[2], key if "zones" not in above else "layers", texts)


def _value(text: str, key: str, texts: Texts) -> str:
    if not text or IN_QUOTES.fullmatch(text):
        return text
    if key in PATHS and os.path.exists(os.path.expanduser(text)):
        return quoted(text)
    if INTERPOLATION.search(text) or ESCAPED.search(text) or (key in NULLS and text == "null"):
        return text
    if key in LISTS:
        elements = _elements(text)
        if elements is not None and text[0] == "[":
            return _unless_same(text, elements, [_element(element) for element in elements])
        if elements is not None and text[0] == "{" and key == "layers":
            return _unless_same(text, elements, [_pair(element, texts) for element in elements])
        if text[0] in "[{" and key not in PATHS:
            return text
        # `a,b` is a sweep, which the job refuses and says how a list looks
        if len(_split(text) or ()) > 1:
            return text
    return quoted(text)


def _unless_same(text: str, elements: list[str], given: list[str]) -> str:
    """A list or mapping with other elements; the text as it was typed where they are its own."""
    return text if given == elements else f"{text[0]}{','.join(given)}{text[-1]}"


def _element(text: str) -> str:
    if not text or IN_QUOTES.fullmatch(text) or INTERPOLATION.search(text) or ESCAPED.search(text):
        return text
    return quoted(text)


def _pair(text: str, texts: Texts) -> str:
    """A key of a mapping and its value: the key has a stand-in where it is not plain."""
    key, colon, value = text.partition(":")
    key = key.strip()
    if IN_QUOTES.fullmatch(key):
        key = re.sub(r"\\(.)", r"\1", key[1:-1])
    elif not colon or quoted(key) == key or ESCAPED.search(key) or not re.fullmatch(r"[\w.+-]+", key, re.ASCII):
        return text
    stand_in = f"text_key_{len(texts.keys)}"
    texts.keys[stand_in] = key
    return f"{stand_in}:{value}"


def _elements(text: str) -> list[str] | None:
    """The elements of a list or mapping; None where the brackets are not those of one."""
    if CLOSING.get(text[0]) != text[-1]:
        return None
    elements = _split(text[1:-1])
    return [] if elements == [""] else elements


def _split(text: str) -> list[str] | None:
    """A text at its commas outside quotes and brackets; None where brackets do not fit."""
    parts, depth = [""], []
    for piece in _pieces(text):
        if piece == "," and not depth:
            parts.append("")
            continue
        if piece in CLOSING:
            depth.append(CLOSING[piece])
        elif piece in CLOSING.values() and (not depth or depth.pop() != piece):
            return None
        parts[-1] += piece
    return None if depth else [part.strip() for part in parts]


def _pieces(text: str) -> Iterator[str]:
    """Characters one by one, what is in quotes as one piece; an apostrophe within a word is none."""
    place = 0
    while place < len(text):
        begins = place == 0 or text[place - 1] in ",[{: "
        match = IN_QUOTES.match(text, place) if begins else None
        yield match[0] if match else text[place]
        place = match.end() if match else place + 1
