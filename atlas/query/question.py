"""Which neighbors a user asks for, and what is meant where the user left something out. Reads no file."""

from dataclasses import dataclass
from typing import Self

from atlas.query.names import check
from atlas.query.tables_known import PROBE
from atlas.query.view_files import quoted
from atlas.records import MEASURES, SCOPES, Address
from atlas.store.similarity_tables import BOTTOM, TOP


@dataclass(frozen=True)
class Question:
    """Whose neighbors are wanted, and which."""

    src: Address
    scope: str
    measure: str
    probe: str
    to: str | None  # only those in this model
    mutual: bool
    opposite: bool

    @classmethod
    def complete(
        cls,
        src: Address,
        *,
        measure: str | None = None,
        scope: str | None = None,
        to: str | None = None,
        mutual: bool = False,
        opposite: bool = False,
        probe: str = PROBE,
    ) -> Self:
        """The question with its scope and measure chosen where they are None (`Feature.similar` says how).

        UnknownName for a measure or scope that does not exist. Whether the atlas has the model `to` and the probe is
        looked up only when there is no answer.
        """
        if scope is None:
            scope = "layer" if to is None else "model" if to == src.model else "other"
        if measure is None:
            measure = "sym" if scope == "layer" and probe == PROBE else "profile"
        check(scope, SCOPES, "scope")
        check(measure, MEASURES, "measure")
        return cls(src, scope, measure, probe, to, mutual, opposite)

    @property
    def list_condition(self) -> str:
        """SQL that selects the whole list of one feature and sign out of `neighbors`, opening a single file."""
        keys = {"src": str(self.src), "scope": self.scope, "measure": self.measure, "probe": self.probe}
        equal = [f"{column} = {quoted(value)}" for column, value in keys.items()]
        return " AND ".join([*equal, f"sign = {BOTTOM if self.opposite else TOP}"])

    @property
    def filter_condition(self) -> str:
        """SQL that selects the rows of that list which are asked for."""
        in_model = [f"starts_with(dst, {quoted(self.to + '/')})"] if self.to is not None else []
        return " AND ".join(["true", *in_model, *["mutual"] * self.mutual])
