"""docs/keys.md, made of the schema and its comments: `python tests/keys_page.py > docs/keys.md`."""

import re
from collections.abc import Iterator
from pathlib import Path

SCHEMA = Path(__file__).parents[1] / "atlas" / "config" / "schema.py"
CLASS = re.compile(
    r"^class (\w+)(?:\(\w+\))?:\n    \"\"\"(.*?)\"\"\"\n(.*?)(?=^@dataclass|\Z)", re.MULTILINE | re.DOTALL
)
KEY = re.compile(r"    (\w+): (.+?) = (.*?)(?:  # (.*))?")
# where the keys of a class stand; those of the pages stand alone
PREFIXES = {
    "ModelConfig": "models.NAME.",
    "MetricConfig": "metrics.NAME.",
    "OctaveConfig": "recipe.octaves: ",
    "TransformsConfig": "recipe.transforms.",
    "RecipeConfig": "recipe.",
    "ProbeConfig": "probes.NAME.",
    "SimilarityConfig": "similarity.",
    "ClusterConfig": "cluster.",
}
FIRST = "SweepConfig"
HEAD = """# Every key

Of a job, as `key=value`; what `model=`, `metric=`, `recipe=`, `cluster=`, `probe=` and `target=` choose are files in `conf/` that
fill these in.
`model.KEY` is `models.NAME.KEY` of `model=custom`. `null` is no value.
"""


def keys(body: str) -> Iterator[tuple[str, str, str]]:
    """Key, default and meaning of each field: its comment stands behind it or above."""
    above: list[str] = []
    for line in body.splitlines():
        if line.startswith("    # "):
            above.append(line.removeprefix("    # "))
        elif match := KEY.fullmatch(line):
            name, _, default, behind = match.groups()
            yield name, _plain(default), behind or " ".join(above)
            above = []


def _plain(default: str) -> str:
    """A default as it is written on a command line."""
    default = re.sub(r"^field\(default_factory=(?:lambda: )?(.*)\)$", r"\1", default)
    words = {
        "MISSING": "",
        "None": "null",
        "True": "true",
        "False": "false",
        "list": "[]",
        "list(MEASURES)": "all",
        "list(SCOPES)": "all",
    }
    plain = words.get(default, "" if default == "dict" or default.endswith("Config") else default)
    return plain.replace("CONSTANT", "200").strip('"')


def page() -> str:
    """The page as it should be."""
    classes = {name: (doc, list(keys(body))) for name, doc, body in CLASS.findall(SCHEMA.read_text())}
    order = sorted(classes, key=lambda name: name != FIRST)
    return "\n".join([HEAD, *(line for name in order for line in _section(name, *classes[name]))])


def _section(name: str, doc: str, rows: list[tuple[str, str, str]]) -> Iterator[str]:
    prefix = PREFIXES.get(name, "")
    title = prefix.rstrip(".: ") or {"SweepConfig": "Sweeps"}.get(name, name.removesuffix("Config"))
    yield from (f"## {title}", "", " ".join(doc.split()), "", "| key | default | meaning |", "|---|---|---|")
    yield from (
        f"| `{prefix}{key}` | {f'`{default}`' if default else ''} | {meaning} |" for key, default, meaning in rows
    )
    yield ""


if __name__ == "__main__":
    print(page(), end="")
