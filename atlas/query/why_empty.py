"""Why a question about neighbors has no answer, in a sentence that says what to do about it."""

from atlas.query.names import condition
from atlas.query.question import Question
from atlas.query.reader import Reader
from atlas.query.shell import reading
from atlas.query.tables_known import PROBE, command, comparison_record, computed
from atlas.query.view_files import quoted
from atlas.records import Address


def why_empty(reader: Reader, question: Question) -> str | None:
    """The first reason why `neighbors` finds nothing: the feature's image, the table, or the feature's rows in it.

    None when it does find something.
    """
    return without_image(reader, question.src) or _without_table(reader, question) or _without_rows(reader, question)


def without_image(reader: Reader, feature: Address) -> str | None:
    """Why the feature was compared with no other at all: it has no image that drives it."""
    states = set(reader.sql(f"SELECT state FROM tasks WHERE {condition(feature)}")["state"].to_pylist())
    if "ok" in states:
        return None
    if "dead" in states:
        return f"{feature} is dead: no gradient reaches it, so it has no similarity"
    if "failed" in states:
        show = reading("show", reader.path, str(feature))
        return f"{feature} has no image, because making it failed (`{show}` says why)"
    return f"{feature} has no image yet, so it has no similarity"


def _without_table(reader: Reader, question: Question) -> str | None:
    """Why the table that would hold the answer was never made."""
    measures = computed(reader, question.probe)
    if not measures:
        run = command(reader, question.probe)
        return f"features have not been compared by probe {question.probe} yet: run `{run}`"
    if question.measure in measures.get(question.scope, ()):
        return None
    if question.probe != PROBE and question.measure != "profile":
        return f"probe={question.probe} has only profile: the other measures look at the atlas's own images"
    there = "; ".join(f"{', '.join(names)} in scope {scope}" for scope, names in measures.items())
    return f"there is no {question.measure} in scope {question.scope}; there is {there}"


def _without_rows(reader: Reader, question: Question) -> str | None:
    """Why a table that exists has no row that answers the question."""
    feature = question.src
    counts = f"count(*) AS kept, count(*) FILTER ({question.filter_condition}) AS answers"
    row = reader.sql(f"SELECT {counts} FROM neighbors WHERE {question.list_condition}").to_pylist()[0]
    if row["answers"]:
        return None
    if row["kept"]:
        wanted = [f"in {question.to}"] * (question.to is not None) + ["mutual"] * question.mutual
        return f"none of the {row['kept']} neighbors that are kept of {feature} is {' and '.join(wanted)}"
    record, run = comparison_record(reader, question.probe), command(reader, question.probe)
    if question.opposite and record.get("bottom") == 0:
        return f"similarity kept no opposites (bottom=0): run `{run}` with a bottom above 0"
    newer = f"coalesce(created > TRY_CAST({quoted(str(record.get('when')))} AS TIMESTAMPTZ), false) AS newer"
    images = reader.sql(f"SELECT status, weights, image, {newer} FROM features WHERE {condition(feature)}").to_pylist()
    if all(image["newer"] for image in images if image["status"] == "ok"):
        return f"{feature} was made after similarity was last run: run `{run}`"
    if question.scope == "layer" and _live_in_layer(reader, feature) < 2:
        return f"{feature} is the only feature of its layer that has an image, so there is none to compare it with"
    weights = record.get("weights", {}).get(feature.model)
    if weights is not None and all(image["weights"] != weights for image in images):
        return f"the images of {feature} are of other weights than {weights}, which were compared: generate them again"
    if not all((reader.path / image["image"]).is_file() for image in images):
        return f"the image of {feature} is missing: make it again with retry=broken"
    return f"{feature} has no score: it does the same on every picture of probe {question.probe}, or on all but its own"


def _live_in_layer(reader: Reader, feature: Address) -> int:
    """How many features of the same layer have an image that drives them."""
    where = f"status = 'ok' AND model = {quoted(feature.model)} AND layer = {quoted(feature.layer)}"
    return reader.sql(f"SELECT count(DISTINCT feature) AS n FROM features WHERE {where}")["n"][0].as_py()
