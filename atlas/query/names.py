"""Names that a user gives to an atlas: checked, and refused with the nearest names that it holds."""

from collections.abc import Iterable

from atlas.config.class_words import classes_called, nearest_class
from atlas.config.mistakes import nearest
from atlas.query.reader import Reader
from atlas.query.view_files import quoted
from atlas.query.views import FEATURE_NAMES
from atlas.records import Address
from atlas.store.index import Row

LISTED = 12  # features that a mistake names
# every feature that `tasks` has but for failures whose plan is gone, at a third of the cost
ASKED_OR_MADE = " UNION ALL ".join(
    f"SELECT feature, weights, layer, channel FROM {view}" for view in ("plan", "features")
)


class UnknownName(LookupError):
    """A name that the atlas does not hold; the message has the nearest that it does."""


def find_feature(reader: Reader, address: str | Address) -> Address:
    """The address of a feature of the atlas.

    address: model/layer:channel; or layer:channel, or a name as `zebra` or `conv5:zebra`, where that is one feature.
    UnknownName: it is none, the atlas was never asked for it, or it is several, which the message lists.
    """
    feature = address if isinstance(address, Address) else _parse(reader, address)
    if not any(reader.sql(f"FROM {view} WHERE {condition(feature)} LIMIT 1").num_rows for view in ("plan", "features")):
        raise _unknown_feature(reader, feature)
    return feature


def condition(feature: Address) -> str:
    """SQL that selects the rows of one feature in any view with its three columns, opening only its layer's folder."""
    return f"model = {quoted(feature.model)} AND layer = {quoted(feature.layer)} AND channel = {feature.channel}"


def names_of(reader: Reader, features: Iterable[str]) -> dict[str, str]:
    """The name of each feature that has one: its class in a classifier's output, or the label whose pictures drive it."""
    listed = ", ".join(["NULL", *map(quoted, features)])  # NULL, so that an empty list is a list too
    known = f"SELECT feature, weights FROM ({ASKED_OR_MADE}) WHERE feature IN ({listed})"
    text = f"SELECT DISTINCT feature, name FROM ({known}) JOIN {FEATURE_NAMES} USING (feature, weights)"
    return {row["feature"]: row["name"] for row in reader.sql(text).to_pylist()}


def check_models(reader: Reader, *models: str) -> None:
    """UnknownName for the first model that the atlas was never asked for; of a layer, that it is one."""
    allowed = model_names(reader)
    for model in models:
        if model not in allowed and (owners := _models_with(reader, model)):
            raise UnknownName(f"{model!r} is a layer of {', '.join(owners)}, and a model is to be named")
        check(model, allowed, f"model in {reader.path}")


def _models_with(reader: Reader, layer: str) -> list[str]:
    """The models that have a layer, which is named with or without its model."""
    is_layer = f"layer = {quoted(layer)} OR model || '/' || layer = {quoted(layer)}"
    return reader.sql(f"SELECT DISTINCT model FROM tasks WHERE {is_layer} ORDER BY ALL")["model"].to_pylist()


def check_layer(reader: Reader, layer: str, model: str | None = None) -> None:
    """UnknownName for a layer that the atlas was never asked for, of one model or of any."""
    of_model = "" if model is None else f"WHERE model = {quoted(model)}"
    layers = reader.sql(f"SELECT DISTINCT layer FROM tasks {of_model} ORDER BY layer")["layer"].to_pylist()
    check(layer, layers, f"layer in {reader.path if model is None else model}")


def model_names(reader: Reader) -> list[str]:
    """The models that the atlas was asked for, by name."""
    return reader.sql("SELECT DISTINCT model FROM tasks ORDER BY ALL")["model"].to_pylist()


def check(name: str, allowed: Iterable[str], what: str) -> None:
    """UnknownName unless a name is among those allowed; `what` is its kind and where, as in `probe in outputs/demo`."""
    names = list(allowed)
    if name not in names:
        kind, space, where = what.partition(" ")
        raise UnknownName(f"no {kind} {name!r}{space}{where}: {nearest(name, names)}")


def _parse(reader: Reader, address: str) -> Address:
    try:
        return Address.parse(address)
    except ValueError as error:
        features = _in_any_model(reader, address) or _called(reader, address)
        if len(features) == 1:
            return Address.parse(features[0])
        if features:
            more = f" and {len(features) - LISTED} more" if len(features) > LISTED else ""
            listed = ", ".join(features[:LISTED]) + more
            raise UnknownName(f"{address!r} is {len(features)} features of {reader.path}: {listed}; name one") from None
        if (unmade := _of_a_layer(reader, address)) is not None:
            raise _unknown_feature(reader, unmade) from None
        raise UnknownName(f"{error}{_hint(reader, address)}") from None


def _of_a_layer(reader: Reader, text: str) -> Address | None:
    """The address that `layer:channel` would be, where the atlas has such a layer; None where it has not."""
    layer, _, channel = text.strip().rpartition(":")
    if not channel.isdecimal():
        return None
    models = reader.sql(f"SELECT min(model) AS model FROM tasks WHERE layer = {quoted(layer)}")["model"].to_pylist()
    return None if models[0] is None else Address(models[0], layer, int(channel))


def _in_any_model(reader: Reader, text: str) -> list[str]:
    """The features that `layer:channel` means, of all models."""
    layer, _, channel = text.strip().rpartition(":")
    if not (layer and channel.isdecimal()):
        return []
    where = f"layer = {quoted(layer)} AND channel = {int(channel)}"
    held = f"SELECT DISTINCT feature FROM ({ASKED_OR_MADE}) WHERE {where} ORDER BY feature"
    return reader.sql(held)["feature"].to_pylist()


def _called(reader: Reader, text: str) -> list[str]:
    """The features that a name means, as `zebra`, or `tabby` where one is called `tabby, tabby cat`; or `conv5:zebra`.

    A feature that stands for a class goes before those that are only named by the pictures that drive them.
    """
    rows = _named(reader)
    return _called_among(rows, text) or _called_among(*_of_named_layer(rows, text))


def _of_named_layer(rows: list[Row], text: str) -> tuple[list[Row], str]:
    """Of `layer:name`, with or without a model, the rows of that layer, and the name."""
    layer, _, name = text.strip().rpartition(":")
    return [row for row in rows if layer in (row["layer"], f"{row['model']}/{row['layer']}")], name


def _called_among(rows: list[Row], text: str) -> list[str]:
    for group in ([row for row in rows if row["is_class"]], rows):
        if numbers := classes_called(text, [row["name"] for row in group]):
            return [group[number]["feature"] for number in numbers]
    return []


def _named(reader: Reader) -> list[Row]:
    return reader.sql("""
        SELECT feature, model, layer, name, feature IN (SELECT feature FROM classes) AS is_class
        FROM tasks WHERE name IS NOT NULL
        GROUP BY model, layer, channel, feature, name ORDER BY model, layer, channel, name""").to_pylist()


def _hint(reader: Reader, text: str) -> str:
    """How a name might be meant: the nearest names that features have, or else the nearest addresses."""
    rows = _named(reader)
    if rows and "/" not in text and ":" not in text:
        return f"; or the name of a class: {nearest_class(text, [row['name'] for row in rows])}"
    inside, name = _of_named_layer(rows, text)
    if inside:
        return f"; or a name of that layer: {nearest_class(name, [row['name'] for row in inside])}"
    first = "model || '/' || layer || ':' || min(channel) AS feature"
    examples = reader.sql(f"SELECT {first} FROM tasks GROUP BY model, layer ORDER BY ALL")["feature"].to_pylist()
    return f"; {nearest(text, examples)}"


def _unknown_feature(reader: Reader, feature: Address) -> UnknownName:
    """Why no task of the atlas is of this feature: the first wrong part of its address, and what is near."""
    rows = reader.sql("SELECT DISTINCT model, layer FROM tasks ORDER BY ALL").to_pylist()
    if not rows:
        return UnknownName(f"{reader.path} holds no features yet")
    models = sorted({row["model"] for row in rows})
    if feature.model not in models:
        return UnknownName(f"no model {feature.model!r} in {reader.path}: {nearest(feature.model, models)}")
    layer = f"{feature.model}/{feature.layer}"
    layers = [f"{row['model']}/{row['layer']}" for row in rows if row["model"] == feature.model]
    if layer not in layers:
        return UnknownName(f"no layer {layer!r} in {reader.path}: {nearest(layer, layers)}")
    where = f"model = {quoted(feature.model)} AND layer = {quoted(feature.layer)}"
    channels = reader.sql(f"SELECT DISTINCT channel FROM tasks WHERE {where} ORDER BY channel")["channel"].to_pylist()
    near = sorted(sorted(channels, key=lambda channel: abs(channel - feature.channel))[:3])
    addresses = ", ".join(f"{layer}:{channel}" for channel in near)
    held = f"{layer} has {len(channels)} there, of channels {channels[0]} to {channels[-1]}"
    return UnknownName(f"no feature {str(feature)!r} in {reader.path}: {held}; the nearest are {addresses}")
