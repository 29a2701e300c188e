"""Makes Grafana's panels and dashboards from specs, by the typed builders of its own SDK."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from grafana_foundation_sdk.builders import common as common_builders
from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.builders import stat, statetimeline, table, timeseries, xychart
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models import common, dashboard
from grafana_foundation_sdk.models.xychart import SeriesMapping

from monitoring.grafana.flux_queries import Events, Query, Series, TagValues
from monitoring.grafana.grafana_units import unit_id
from monitoring.grafana.panel_specs import DashboardSpec, Kind, Link, PanelSpec, Section, Variable

DATA_SOURCE_UID: Final = "hotpath-influxdb"
DATA_SOURCE: Final = common.DataSourceRef(type_val="influxdb", uid=DATA_SOURCE_UID)
TAG: Final = "hotpath"
COLUMNS: Final = 24
SCRAPED_EVERY: Final = "10s"
"""The monitor writes a point so often: narrower windows would be empty."""
FIRST_HEADING: Final = 1000
"""Ids of headings; those of panels are their places from 1."""
KEEPS: Final = "${__url_time_range}&${__all_variables}"
HIDDEN_COLUMNS: Final = ("result", "table")

AnyPanel: TypeAlias = timeseries.Panel | stat.Panel | table.Panel | statetimeline.Panel | xychart.Panel
SORTED: Final = (dashboard.VariableSort.ALPHABETICAL_ASC, dashboard.VariableSort.ALPHABETICAL_DESC)


@dataclass
class FluxQuery(Dataquery):
    """A query of Grafana's InfluxDB data source in Flux, of which the SDK has no type of its own."""

    ref_id: str
    query: str

    def to_json(self) -> dict[str, object]:
        return {"refId": self.ref_id, "datasource": DATA_SOURCE, "query": self.query}


@dataclass(frozen=True)
class FluxTarget(Builder[Dataquery]):
    """For builders, which take builders alone."""

    query: FluxQuery

    def build(self) -> Dataquery:
        return self.query


def ref_id(place: int) -> str:
    """A, B, C, ..."""
    return chr(ord("A") + place)


def slug(title: str) -> str:
    """The title as it stands in an address."""
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")


def address(spec: DashboardSpec, panel: str = "") -> str:
    """Where a dashboard is in Grafana, or a panel of it alone; the time and the variables are kept."""
    alone = f"&viewPanel={spec.panel_id(panel)}" if panel else ""
    return f"/d/{spec.uid}/{slug(spec.title)}?{KEEPS}{alone}"


@dataclass(frozen=True)
class DashboardMaker:
    """Makes dashboards that link to each other."""

    all_specs: Mapping[str, DashboardSpec]
    variable_values: Mapping[Variable, TagValues]
    annotations: Sequence[tuple[str, str, Events]]
    """Name, colour, and what it shows."""

    def made(self, spec: DashboardSpec) -> dashboard.Dashboard:
        built = (
            builders.Dashboard(spec.title)
            .uid(spec.uid)
            .description(spec.text)
            .tags([TAG])
            .time("now-1h", "now")
            .refresh("30s")
            .timezone("browser")
            .tooltip(dashboard.DashboardCursorSync.CROSSHAIR)
            .readonly()
            .link(self._dashboards())
            .variables([self._variable(name) for name in spec.variables])
            .annotations([self._annotation(spec, *each) for each in self.annotations])
        )
        top, number = 0, 1
        for section in spec.sections:
            built.with_row(_heading(section, top, number))
            top += 1
            for panel, left, line in _places(section.panels):
                built.with_panel(self._panel(spec, panel, number, left, top + line))
                number += 1
            top += sum(_heights(section.panels))
        return built.build()

    def _dashboards(self) -> builders.DashboardLink:
        link = builders.DashboardLink("hotpath").type(dashboard.DashboardLinkType.DASHBOARDS).tags([TAG])
        return link.include_vars(True).keep_time(True).as_dropdown(False)

    def _variable(self, name: Variable) -> builders.QueryVariable:
        built = (
            builders.QueryVariable(name)
            .label(name)
            .datasource(DATA_SOURCE)
            .query(self.variable_values[name].flux())
            .refresh(dashboard.VariableRefresh.ON_TIME_RANGE_CHANGED)
            .sort(SORTED[name == "version"])
            .multi(True)
            .include_all(True)
            .current(dashboard.VariableOption(True, ["All"], ["$__all"]))
        )
        return built.all_value(".*") if name in ("pipeline", "version") else built

    def _annotation(self, spec: DashboardSpec, name: str, color: str, events: Events) -> builders.AnnotationQuery:
        query = FluxTarget(FluxQuery("Anno", events.flux(spec.variables)))
        built = builders.AnnotationQuery().name(name).datasource(DATA_SOURCE).enable(True).hide(False)
        return built.icon_color(color).target(query)

    def _panel(self, spec: DashboardSpec, panel: PanelSpec, number: int, left: int, top: int) -> AnyPanel:
        built = _PANELS[panel.kind](panel)
        built.id(number).title(panel.title).description(panel.text).datasource(DATA_SOURCE).interval(SCRAPED_EVERY)
        built.grid_pos(dashboard.GridPos(h=panel.height, w=panel.width, x=left, y=top))
        built.links([self._link(link) for link in panel.links])
        built.unit(panel.unit).no_value(_nothing(panel))
        built.thresholds(_limits(panel))
        if panel.low is not None:
            built.min(panel.low)
        if panel.high is not None:
            built.max(panel.high)
        if panel.words and panel.kind != "table":
            built.mappings([_words(panel)])
        for place, query in enumerate(panel.queries):
            built.with_target(FluxTarget(FluxQuery(ref_id(place), query.flux(spec.variables))))
            _name_lines(built, panel, query, ref_id(place))
        return built

    def _link(self, link: Link) -> builders.DashboardLink:
        return builders.DashboardLink(link.title).url(address(self.all_specs[link.dashboard], link.panel))


def _heading(section: Section, top: int, number: int) -> builders.Row:
    """A row without panels of its own: those that follow belong to it."""
    place = dashboard.GridPos(h=1, w=COLUMNS, x=0, y=top)
    return builders.Row(section.title).id(FIRST_HEADING + number).grid_pos(place).collapsed(False)


def _places(panels: Sequence[PanelSpec]) -> list[tuple[PanelSpec, int, int]]:
    """Each panel with its column and its line below the heading."""
    found, left, top = [], 0, 0
    highest = 0
    for panel in panels:
        if left + panel.width > COLUMNS:
            left, top, highest = 0, top + highest, 0
        found.append((panel, left, top))
        left, highest = left + panel.width, max(highest, panel.height)
    return found


def _heights(panels: Sequence[PanelSpec]) -> list[int]:
    """The height of each line of panels."""
    lines: dict[int, int] = {}
    for panel, _, top in _places(panels):
        lines[top] = max(lines.get(top, 0), panel.height)
    return list(lines.values())


def _nothing(panel: PanelSpec) -> str:
    return "none so far" if panel.only_by_fault else "no data"


def _limits(panel: PanelSpec) -> builders.ThresholdsConfig:
    steps = [
        dashboard.Threshold(None, panel.below),
        *(dashboard.Threshold(each.at, each.color) for each in panel.limits),
    ]
    return builders.ThresholdsConfig().mode(dashboard.ThresholdsMode.ABSOLUTE).steps(steps)


def _words(panel: PanelSpec) -> dashboard.ValueMap:
    return dashboard.ValueMap(
        {
            value: dashboard.ValueMappingResult(text=word.text, color=word.color, index=place)
            for place, (value, word) in enumerate(panel.words.items())
        }
    )


def _name_lines(built: AnyPanel, panel: PanelSpec, query: Query, ref: str) -> None:
    """What stands in the legend, or above a table's columns."""
    if isinstance(query, Series):
        tags = " ".join(f"${{__field.labels.{tag}}}" for tag in query.by)
        name = " ".join(each for each in (query.name, tags) if each) or panel.title
        built.override_by_query(ref, [dashboard.DynamicConfigValue("displayName", name)])
        return
    for column, unit in query.units.items():
        shown = [dashboard.DynamicConfigValue("unit", unit_id(unit))]
        if column in panel.heads:
            shown.append(dashboard.DynamicConfigValue("displayName", panel.heads[column]))
        if column in panel.word_columns:
            shown.append(dashboard.DynamicConfigValue("mappings", [_words(panel)]))
            shown.append(dashboard.DynamicConfigValue("custom.cellOptions", {"type": "color-text"}))
        if unit == "text":
            shown.append(dashboard.DynamicConfigValue("custom.cellOptions", {"type": "auto", "wrapText": True}))
        built.override_by_name(column, shown)


def _lines(panel: PanelSpec) -> timeseries.Panel:
    built = timeseries.Panel().line_width(1).fill_opacity(8).span_nulls(60_000.0)
    built.legend(
        common_builders.VizLegendOptions()
        .show_legend(True)
        .display_mode(common.LegendDisplayMode.LIST)
        .placement(common.LegendPlacement.BOTTOM)
    )
    built.tooltip(common_builders.VizTooltipOptions().mode(common.TooltipDisplayMode.MULTI))
    if panel.limits:
        built.thresholds_style(
            common_builders.GraphThresholdsStyleConfig().mode(common.GraphThresholdsStyleMode.DASHED)
        )
    return built


def _number(panel: PanelSpec) -> stat.Panel:
    last = common_builders.ReduceDataOptions().calcs(["lastNotNull"])
    return (
        stat.Panel()
        .reduce_options(last)
        .graph_mode(common.BigValueGraphMode.AREA)
        .color_mode(common.BigValueColorMode.VALUE)
        .text_mode(common.BigValueTextMode.AUTO)
    )


def _table(_: PanelSpec) -> table.Panel:
    hidden = dict.fromkeys(HIDDEN_COLUMNS, True)
    organize = dashboard.DataTransformerConfig(id_val="organize", options={"excludeByName": hidden})
    return table.Panel().with_transformation(organize).show_header(True)


def _states(_: PanelSpec) -> statetimeline.Panel:
    return statetimeline.Panel().merge_values(True).show_value(common.VisibilityMode.AUTO).row_height(0.8)


def _scatter(_: PanelSpec) -> xychart.Panel:
    return xychart.Panel().mapping(SeriesMapping.AUTO)


_PANELS: Final[Mapping[Kind, Callable[[PanelSpec], AnyPanel]]] = {
    "lines": _lines,
    "number": _number,
    "table": _table,
    "states": _states,
    "scatter": _scatter,
}
