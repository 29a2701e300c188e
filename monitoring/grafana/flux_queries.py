"""Queries in Flux as Grafana sends them: its macros and the dashboard's variables stand in them.

Grafana reads rows with a column `_measurement` as series over time, with their tags as labels; all others as a table.
A variable that holds free text is compared as text; pipelines and versions, which are plain names, as an expression,
which InfluxDB evaluates where the data lies.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, Protocol

from contract.measurements import EVENTS
from monitoring.grafana.figures import Figure, field_of

Function = Literal["mean", "max", "min", "sum", "last"]
Change = Literal["none", "age", "rate"]

FILTERS: Final[Mapping[str, tuple[str, str]]] = {
    "pipeline": ("pipeline", "r.pipeline =~ /^(${pipeline:regex})$/"),
    "model": ("version", "r.model =~ /^(${version:regex})$/"),
    "slice": ("slice", "contains(value: r.slice, set: [${slice:doublequote}])"),
    "host": ("host", "contains(value: r.host, set: [${host:doublequote}])"),
}
"""Tag -> the variable that chooses among its values, and how."""
AGE: Final = "float(v: uint(v: r._time)) / 1000000000.0 - r._value"
EVENTS_SHOWN: Final = 50


class Query(Protocol):
    """One query of a panel."""

    @property
    def figures(self) -> Mapping[str, Figure]:
        """The columns of its rows that hold figures."""

    @property
    def units(self) -> Mapping[str, str]:
        """Their units, which are the figure's own or follow from it."""

    @property
    def only_by_fault(self) -> bool:
        """Whether an ordinary run gives it no rows."""

    def flux(self, variables: Collection[str]) -> str:
        """The text; `variables` are those that the dashboard has."""


@dataclass(frozen=True)
class Series:
    """A figure over time: a line for each value of the tags `by`.

    `within` says what a window's points become, `across` what the lines of other tags become together. `change`: `age`
    is the time since the moment that the figure is, `rate` how fast an amount grows.
    """

    figure: Figure
    name: str = ""
    by: tuple[str, ...] = ()
    where: Mapping[str, str] = field(default_factory=dict)
    within: Function = "mean"
    across: Function = "sum"
    change: Change = "none"
    absent: Mapping[str, str] = field(default_factory=dict)
    """What a tag is called of points that have none; a variable chooses these, too, whatever its value."""
    rare: bool = False
    """Whether an ordinary run gives it no rows, although it gives the figure some with other tags."""

    @property
    def figures(self) -> Mapping[str, Figure]:
        return {"_value": self.figure}

    @property
    def units(self) -> Mapping[str, str]:
        unit = self.figure.unit
        return {"_value": {"none": unit, "age": "s", "rate": f"{unit}/s"}[self.change]}

    @property
    def only_by_fault(self) -> bool:
        return self.rare or self.figure.only_by_fault

    def flux(self, variables: Collection[str]) -> str:
        key = ["_measurement", "_field", *self.by]
        return _lines(
            *_chosen(self.figure, [self.figure.field], self.where, variables, self.absent),
            *(_named(tag, name) for tag, name in self.absent.items()),
            *{
                "none": (),
                "age": (f"|> map(fn: (r) => ({{r with _value: {AGE}}}))",),
                "rate": ("|> derivative(unit: 1s, nonNegative: true)",),
            }[self.change],
            f"|> aggregateWindow(every: v.windowPeriod, fn: {self.within}, createEmpty: false)",
            f"|> group(columns: {json.dumps([*key, '_time'])})",
            f"|> {self.across}()",
            f"|> group(columns: {json.dumps(key)})",
            '|> sort(columns: ["_time"])',
        )


@dataclass(frozen=True)
class Newest:
    """A table: the newest value of fields of one measurement, a row for each value of the tags `by`."""

    fields: tuple[Figure, ...]
    by: tuple[str, ...]
    where: Mapping[str, str] = field(default_factory=dict)
    sort: tuple[str, ...] = ()
    descending: bool = False
    rare: bool = False

    @property
    def figures(self) -> Mapping[str, Figure]:
        return {each.field: each for each in self.fields}

    @property
    def units(self) -> Mapping[str, str]:
        return {each.field: each.unit for each in self.fields}

    @property
    def only_by_fault(self) -> bool:
        return self.rare or all(each.only_by_fault for each in self.fields)

    def flux(self, variables: Collection[str]) -> str:
        names = [each.field for each in self.fields]
        order = "true" if self.descending else "false"
        return _lines(
            *_chosen(self.fields[0], names, self.where, variables),
            f"|> group(columns: {json.dumps([*self.by, '_field'])})",
            '|> sort(columns: ["_time"])',
            "|> last()",
            f'|> pivot(rowKey: {json.dumps(list(self.by))}, columnKey: ["_field"], valueColumn: "_value")',
            "|> group()",
            f"|> keep(columns: {json.dumps([*self.by, *names])})",
            f"|> sort(columns: {json.dumps(list(self.sort or self.by))}, desc: {order})",
        )


@dataclass(frozen=True)
class Against:
    """Points of one figure against another, a series for each value of the tag `by`: rows with both columns."""

    x: Figure
    y: Figure
    by: str
    where: Mapping[str, str] = field(default_factory=dict)
    rare: bool = False

    @property
    def figures(self) -> Mapping[str, Figure]:
        return {self.x.field: self.x, self.y.field: self.y}

    @property
    def units(self) -> Mapping[str, str]:
        return {self.x.field: self.x.unit, self.y.field: self.y.unit}

    @property
    def only_by_fault(self) -> bool:
        return self.rare or self.x.only_by_fault or self.y.only_by_fault

    def flux(self, variables: Collection[str]) -> str:
        names = [self.x.field, self.y.field]
        return _lines(
            *_chosen(self.x, names, self.where, variables),
            f'|> pivot(rowKey: ["_time", {json.dumps(self.by)}], columnKey: ["_field"], valueColumn: "_value")',
            f"|> group(columns: {json.dumps([self.by])})",
            f"|> keep(columns: {json.dumps([self.by, *names])})",
            f"|> sort(columns: {json.dumps([self.x.field])})",
        )


@dataclass(frozen=True)
class Events:
    """A table of what happened, the newest first; of all kinds, or of some."""

    kinds: tuple[str, ...] = ()
    as_annotation: bool = False
    """Then the columns have the names by which Grafana knows an annotation's."""

    @property
    def figures(self) -> Mapping[str, Figure]:
        return {"text": field_of(EVENTS, "text")}

    @property
    def units(self) -> Mapping[str, str]:
        return {"text": EVENTS.fields["text"]}

    @property
    def only_by_fault(self) -> bool:
        """The first model that serves is an event of its own."""
        return bool(self.kinds) and "switch" not in self.kinds

    def flux(self, variables: Collection[str]) -> str:
        kinds = " or ".join(f"r.kind == {json.dumps(kind)}" for kind in self.kinds)
        tags = (
            '{_time: "time", _value: "text", kind: "tags"}'
            if self.as_annotation
            else ('{_time: "time", _value: "text"}')
        )
        return _lines(
            *_chosen(field_of(EVENTS, "text"), ["text"], {}, [each for each in variables if each == "pipeline"]),
            *([f"|> filter(fn: (r) => {kinds})"] if kinds else []),
            "|> group()",
            '|> sort(columns: ["_time"], desc: true)',
            f"|> limit(n: {EVENTS_SHOWN})",
            '|> keep(columns: ["_time", "pipeline", "kind", "model", "host", "_value"])',
            f"|> rename(columns: {tags})",
        )


@dataclass(frozen=True)
class TagValues:
    """The values of a tag, for a variable."""

    figure: Figure
    tag: str

    def flux(self) -> str:
        return "\n".join(
            [
                'import "influxdata/influxdb/schema"',
                "schema.tagValues(",
                "  bucket: v.defaultBucket,",
                f"  tag: {json.dumps(self.tag)},",
                f"  predicate: (r) => r._measurement == {json.dumps(self.figure.measurement)},",
                "  start: -30d,",
                ")",
            ]
        )


def _chosen(
    figure: Figure,
    fields: Collection[str],
    where: Mapping[str, str],
    variables: Collection[str],
    may_lack: Collection[str] = (),
) -> list[str]:
    """The points of fields of a measurement in the dashboard's time, narrowed by tags and by variables."""
    of_fields = " or ".join(f"r._field == {json.dumps(name)}" for name in fields)
    equal = [f"r.{tag} == {json.dumps(value)}" for tag, value in where.items()]
    asked = {
        tag: text
        for tag, (variable, text) in FILTERS.items()
        if variable in variables and tag in figure.tags and tag not in where
    }
    chosen = [f"not exists r.{tag} or {text}" if tag in may_lack else text for tag, text in asked.items()]
    return [
        "from(bucket: v.defaultBucket)",
        "|> range(start: v.timeRangeStart, stop: v.timeRangeStop)",
        f"|> filter(fn: (r) => r._measurement == {json.dumps(figure.measurement)} and ({of_fields}))",
        *(f"|> filter(fn: (r) => {text})" for text in [*equal, *chosen]),
    ]


def _named(tag: str, name: str) -> str:
    """Grafana reads no series of which some lack a tag."""
    return f"|> map(fn: (r) => ({{r with {tag}: if exists r.{tag} then r.{tag} else {json.dumps(name)}}}))"


def _lines(first: str, *rest: str) -> str:
    return "\n".join([first, *(f"  {line}" for line in rest)])
