"""What a panel and a dashboard are, as plain data in which the six are written; `panel_builders` makes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from monitoring.grafana.flux_queries import Query
from monitoring.grafana.grafana_units import unit_id

Kind = Literal["lines", "number", "table", "states", "scatter"]
Color = Literal["green", "yellow", "orange", "red", "blue", "gray"]
Variable = Literal["pipeline", "version", "slice", "host"]

OVERVIEW: Final = "hotpath-overview"
MODEL_HEALTH: Final = "hotpath-model-health"
DATA: Final = "hotpath-data"
HOT_PATH: Final = "hotpath-hot-path"
TRAINING: Final = "hotpath-training"
PLATFORM: Final = "hotpath-platform"


@dataclass(frozen=True)
class Limit:
    """From this value on the panel has another colour."""

    at: float
    color: Color


@dataclass(frozen=True)
class Link:
    """From a symptom to where its cause is seen: a dashboard, and a panel of it by title."""

    title: str
    dashboard: str
    panel: str = ""


SOME: Final = (Limit(1, "red"),)
"""Of what should not happen at all."""
TO_HOST: Final = Link("This host", PLATFORM, "CPU of this host")


@dataclass(frozen=True)
class Word:
    """What is shown instead of a value."""

    text: str
    color: Color


@dataclass(frozen=True)
class PanelSpec:
    """One panel. All its figures have one unit, except a table's, each of whose columns has its own.

    `words` are shown instead of values: everywhere, or in a table in the columns of `word_columns`.
    """

    title: str
    text: str
    queries: tuple[Query, ...]
    kind: Kind = "lines"
    width: int = 8
    height: int = 7
    links: tuple[Link, ...] = ()
    limits: tuple[Limit, ...] = ()
    below: Color = "green"
    """The colour below the first limit."""
    words: Mapping[str, Word] = field(default_factory=dict)
    word_columns: tuple[str, ...] = ()
    heads: Mapping[str, str] = field(default_factory=dict)
    """What stands above a table's columns, where it is not their name."""
    low: float | None = None
    high: float | None = None
    as_percent: bool = False

    @property
    def unit(self) -> str:
        """Grafana's name of the unit; that of a table's text where it is one.

        Raises:
            ValueError: its figures have several units.
        """
        units = {unit for query in self.queries for unit in query.units.values()}
        if self.kind in ("table", "scatter"):
            return unit_id("text")
        if len(units) > 1:
            raise ValueError(f"the panel {self.title!r} has figures of several units: {', '.join(sorted(units))}")
        return unit_id(units.pop(), self.as_percent)

    @property
    def only_by_fault(self) -> bool:
        """Whether it is empty in an ordinary run."""
        return all(query.only_by_fault for query in self.queries)


@dataclass(frozen=True)
class Section:
    """Panels under one heading, in lines of 24 columns."""

    title: str
    panels: tuple[PanelSpec, ...]


@dataclass(frozen=True)
class DashboardSpec:
    """One dashboard; `uid` is part of its address."""

    uid: str
    title: str
    text: str
    variables: tuple[Variable, ...]
    sections: tuple[Section, ...]

    @property
    def panels(self) -> tuple[PanelSpec, ...]:
        """In their order; a panel's id is its place, from 1."""
        return tuple(panel for section in self.sections for panel in section.panels)

    def panel_id(self, title: str) -> int:
        """The id of the panel of this title.

        Raises:
            ValueError: there is none.
        """
        return [panel.title for panel in self.panels].index(title) + 1
