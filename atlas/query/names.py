"""Names that an atlas does not hold: which part of one is wrong, and what is near."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from atlas.config.mistakes import nearest
from atlas.query.view_files import quoted
from atlas.records import Address

if TYPE_CHECKING:
    from atlas.query.atlas import Atlas


class UnknownName(LookupError):
    """A name that the atlas does not hold; the message has the nearest that it does."""


def parse_address(atlas: "Atlas", address: str | Address) -> Address:
    """The parts of an address; UnknownName when it has not all of them."""
    try:
        return Address.parse(str(address))
    except ValueError as error:
        first = "model || '/' || layer || ':' || min(channel) AS feature"
        known = atlas.sql(f"SELECT {first} FROM tasks GROUP BY model, layer ORDER BY ALL")["feature"].to_pylist()
        raise UnknownName(f"{error}; {nearest(address, known)}") from None


def unknown_feature(atlas: "Atlas", name: Address) -> UnknownName:
    """Why no task of the atlas is of this feature: the first wrong part of its address, and what is near."""
    layers = atlas.sql("SELECT DISTINCT model, layer FROM tasks ORDER BY ALL").to_pylist()
    if not layers:
        return UnknownName(f"{atlas.path} holds no features yet")
    known = [f"{row['model']}/{row['layer']}" for row in layers]
    models = {row["model"] for row in layers}
    if name.model not in models:
        return UnknownName(f"no model {name.model!r} in {atlas.path}: {nearest(name.model, sorted(models))}")
    if (layer := f"{name.model}/{name.layer}") not in known:
        mine = [one for one in known if one.startswith(name.model + "/")]
        return UnknownName(f"no layer {layer!r} in {atlas.path}: {nearest(layer, mine)}")
    where = f"model = {quoted(name.model)} AND layer = {quoted(name.layer)}"
    channels = atlas.sql(f"SELECT DISTINCT channel FROM tasks WHERE {where}")["channel"].to_pylist()
    near = sorted(sorted(channels, key=lambda channel: abs(channel - name.channel))[:3])
    addresses = ", ".join(f"{layer}:{channel}" for channel in near)
    return UnknownName(f"no feature {str(name)!r} in {atlas.path}; the nearest are {addresses}")


def check_models(atlas: "Atlas", *models: str) -> None:
    """UnknownName for the first model that the atlas was never asked for."""
    known = atlas.sql("SELECT DISTINCT model FROM tasks ORDER BY ALL")["model"].to_pylist()
    for model in models:
        check(model, known, f"model in {atlas.path}")


def check(name: str, allowed: Iterable[str], what: str) -> None:
    """UnknownName unless a name is among those that are allowed; `what` says of which kind, and where."""
    names = list(allowed)
    if name not in names:
        kind, _, place = what.partition(" ")
        raise UnknownName(f"no {kind} {name!r}{' ' * bool(place)}{place}: {nearest(name, names)}")
