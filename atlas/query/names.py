"""Names that a user gives to an atlas: checked, and refused with the nearest names that it holds."""

from collections.abc import Iterable

from atlas.config.mistakes import nearest
from atlas.query.reader import Reader
from atlas.query.view_files import quoted
from atlas.records import Address


class UnknownName(LookupError):
    """A name that the atlas does not hold; the message has the nearest that it does."""


def find_feature(reader: Reader, address: str | Address) -> Address:
    """The address of a feature of the atlas; UnknownName when it is none, or the atlas was never asked for it."""
    feature = address if isinstance(address, Address) else _parse(reader, address)
    if not any(reader.sql(f"FROM {view} WHERE {condition(feature)} LIMIT 1").num_rows for view in ("plan", "features")):
        raise _unknown_feature(reader, feature)
    return feature


def condition(feature: Address) -> str:
    """SQL that selects the rows of one feature in any view with its three columns, opening only its layer's folder."""
    return f"model = {quoted(feature.model)} AND layer = {quoted(feature.layer)} AND channel = {feature.channel}"


def check_models(reader: Reader, *models: str) -> None:
    """UnknownName for the first model that the atlas was never asked for."""
    allowed = model_names(reader)
    for model in models:
        check(model, allowed, f"model in {reader.path}")


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
        first = "model || '/' || layer || ':' || min(channel) AS feature"
        examples = reader.sql(f"SELECT {first} FROM tasks GROUP BY model, layer ORDER BY ALL")["feature"].to_pylist()
        raise UnknownName(f"{error}; {nearest(address, examples)}") from None


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
    return UnknownName(f"no feature {str(feature)!r} in {reader.path}; the nearest are {addresses}")
