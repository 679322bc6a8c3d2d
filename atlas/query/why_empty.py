"""Why a feature has no neighbors, in a sentence that says what to do about it."""

from typing import TYPE_CHECKING

from atlas.query.shell import reading
from atlas.query.tables_known import PROBE, command, computed
from atlas.query.view_files import quoted
from atlas.store.comparisons import read_comparisons

if TYPE_CHECKING:
    from atlas.query.atlas import Atlas, Feature
    from atlas.query.neighbors import Question


def reason(feature: "Feature", question: "Question") -> str:
    """The first thing in the way: its image, the table, or its own row in that."""
    return _unmade(feature) or _uncomputed(feature.atlas, question) or _unlike(feature, question)


def _unmade(feature: "Feature") -> str | None:
    """What keeps a feature from being compared with any other: it has no image that drives it."""
    states = set(feature.rows("tasks")["state"].to_pylist())
    if "ok" in states:
        return None
    if "dead" in states:
        return f"{feature} is dead: no gradient reaches it, so it has no similarity"
    if "failed" in states:
        shown = reading("show", feature.atlas.path, str(feature))
        return f"{feature} has no image, because making it failed (`{shown}` says why)"
    return f"{feature} has no image yet, so it has no similarity"


def _uncomputed(atlas: "Atlas", question: "Question") -> str | None:
    """Whether the table that is meant was never made."""
    held = computed(atlas, question.probe)
    if not held:
        return f"features have not been compared by probe {question.probe} yet: run `{command(atlas, question.probe)}`"
    if question.measure in held.get(question.scope, ()):
        return None
    if question.probe != PROBE and question.measure != "profile":
        return f"probe={question.probe} has only profile: the other measures look at the atlas's own images"
    there = "; ".join(f"{', '.join(measures)} in scope {scope}" for scope, measures in held.items())
    return f"there is no {question.measure} in scope {question.scope}; there is {there}"


def _unlike(feature: "Feature", question: "Question") -> str:
    """Why a table that is there has no row for a feature that could have some."""
    told = read_comparisons(feature.atlas.paths).get(question.probe, {})
    stored = f"src = {quoted(str(feature))} AND {question.where()}"
    count = feature.atlas.sql(f"SELECT count(*) AS n FROM neighbors WHERE {stored}")["n"][0].as_py()
    if count:
        wanted = [f"in {question.to}"] * (question.to is not None) + ["mutual"] * question.mutual
        return f"none of the {count} neighbors that are kept of {feature} is {' and '.join(wanted)}"
    if question.opposite and told.get("bottom") == 0:
        return f"similarity kept no opposites (bottom=0): run `{command(feature.atlas, question.probe)}` with a bottom above 0"
    if _is_newer(feature, told.get("when")):
        return f"{feature} was made after similarity was last run: run `{command(feature.atlas, question.probe)}`"
    live = feature.atlas.sql(f"""
        SELECT count(DISTINCT feature) AS n FROM features
        WHERE status = 'ok' AND model = {quoted(feature.model)} AND layer = {quoted(feature.layer)}""")["n"][0].as_py()
    if question.scope == "layer" and live < 2:
        return f"{feature} is the only feature of its layer that has an image, so there is none to compare it with"
    known = told.get("weights", {}).get(feature.model)
    if known is not None and known not in feature.rows()["weights"].to_pylist():
        return f"the images of {feature} are of other weights than {known}, which were compared: generate them again"
    if not all((feature.atlas.path / image).is_file() for image in feature.rows()["image"].to_pylist()):
        return f"the image of {feature} is missing: make it again with retry=broken"
    return f"{feature} has no score: it does the same on every picture of probe {question.probe}, or on all but its own"


def _is_newer(feature: "Feature", when: object) -> bool:
    """Whether all images of a feature were made after similarity was last run."""
    if not isinstance(when, str):
        return False
    text = f"SELECT min(created) > TRY_CAST({quoted(when)} AS TIMESTAMPTZ) AS newer FROM features WHERE status = 'ok'"
    where = f"model = {quoted(feature.model)} AND layer = {quoted(feature.layer)} AND channel = {feature.channel}"
    return bool(feature.atlas.sql(f"{text} AND {where}")["newer"][0].as_py())
