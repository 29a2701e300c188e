"""The six dashboards, with what they share: variables and annotations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from grafana_foundation_sdk.models import dashboard

from contract import metrics
from contract.measurements import SLICE_REALISED, STATUS_SENTENCE, VERSION_REALISED
from monitoring.grafana.data_dashboard import DATA_DASHBOARD
from monitoring.grafana.figures import field_of, gauge
from monitoring.grafana.flux_queries import Events, TagValues
from monitoring.grafana.hot_path_dashboard import HOT_PATH_DASHBOARD
from monitoring.grafana.model_health_dashboard import MODEL_HEALTH_DASHBOARD
from monitoring.grafana.overview_dashboard import OVERVIEW_DASHBOARD
from monitoring.grafana.panel_builders import DashboardMaker
from monitoring.grafana.panel_specs import DashboardSpec, Variable
from monitoring.grafana.platform_dashboard import PLATFORM_DASHBOARD
from monitoring.grafana.training_dashboard import TRAINING_DASHBOARD

SPECS: Final[Mapping[str, DashboardSpec]] = {
    each.uid: each
    for each in (
        OVERVIEW_DASHBOARD,
        MODEL_HEALTH_DASHBOARD,
        DATA_DASHBOARD,
        HOT_PATH_DASHBOARD,
        TRAINING_DASHBOARD,
        PLATFORM_DASHBOARD,
    )
}
VARIABLES: Final[Mapping[Variable, TagValues]] = {
    "pipeline": TagValues(field_of(STATUS_SENTENCE, "text"), "pipeline"),
    "version": TagValues(field_of(VERSION_REALISED, "auc"), "model"),
    "slice": TagValues(field_of(SLICE_REALISED, "auc"), "slice"),
    "host": TagValues(gauge(metrics.CLOCK_OFFSET_SECONDS), "host"),
}
ANNOTATIONS: Final = (
    ("Switches", "blue", Events(("switch",), as_annotation=True)),
    ("Rejections", "orange", Events(("rejection",), as_annotation=True)),
    ("Pins", "purple", Events(("pin",), as_annotation=True)),
    ("Failed training runs", "yellow", Events(("retrain_failure",), as_annotation=True)),
    ("Losses", "red", Events(("loss",), as_annotation=True)),
    ("Clocks", "dark-red", Events(("clock_alert",), as_annotation=True)),
)
"""Name, colour, and which events."""


def dashboards() -> dict[str, dashboard.Dashboard]:
    """Each by its uid."""
    maker = DashboardMaker(SPECS, VARIABLES, ANNOTATIONS)
    return {uid: maker.made(spec) for uid, spec in SPECS.items()}
