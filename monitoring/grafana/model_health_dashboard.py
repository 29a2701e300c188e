"""Model health: what the answers turned out to be worth, version by version and slice by slice, and how they decay."""

from __future__ import annotations

from typing import Final

from contract import metrics
from contract.measurements import MODEL_REALISED, SLICE_REALISED, VERSION_REALISED, Measurement
from monitoring.grafana.figures import field_of, gauge
from monitoring.grafana.flux_queries import Against, Events, Newest, Series
from monitoring.grafana.panel_specs import (
    DATA,
    MODEL_HEALTH,
    OVERVIEW,
    TRAINING,
    DashboardSpec,
    Link,
    PanelSpec,
    Section,
)

_FINAL: Final = {"labels": "final"}
_SHOWN: Final = (
    *("auc", "auc_low", "auc_high", "log_loss", "calibration", "brier", "f1", "f2", "accuracy"),
    *("outcomes", "positives", "age_s"),
)
_TO_DATA: Final = Link("Has the data changed?", DATA, "Drift of each feature")
_TO_TRAINING: Final = Link("Why no newer version serves", TRAINING, "Why candidates were refused, and runs failed")


def _with_interval(measurement: Measurement, name: str) -> tuple[Series, ...]:
    """A figure of all that was served, and the ends of its 90 % interval."""
    ends = {"": name, "_low": "low end", "_high": "high end"}
    return tuple(Series(field_of(measurement, name + end), shown, ("pipeline",)) for end, shown in ends.items())


_REALISED = PanelSpec(
    "Realised AUC",
    "All that was served, at each minute of `due`, over as many minutes before it as it takes to have 30 entities of "
    "each label; with its 90 % interval: what chance alone explains is no change.",
    _with_interval(MODEL_REALISED, "auc"),
    width=12,
    low=0.4,
    high=1.0,
    links=(_TO_DATA,),
)
_CALIBRATION = PanelSpec(
    "Calibration",
    "Positives that came divided by positives that the probabilities promised, with its 90 % interval: 1 is perfect, "
    "above it the model promises too few.",
    _with_interval(MODEL_REALISED, "calibration"),
    width=12,
    low=0.0,
    links=(_TO_DATA,),
)
_LOG_LOSS = PanelSpec(
    "Realised log loss",
    "Lower is better; it tells of probabilities that are too sure.",
    _with_interval(MODEL_REALISED, "log_loss"),
    low=0.0,
    links=(_TO_DATA,),
)
_BRIER = PanelSpec(
    "Realised Brier score",
    "The mean square of how far the probabilities were off: lower is better.",
    _with_interval(MODEL_REALISED, "brier"),
    low=0.0,
    links=(_TO_DATA,),
)
_DECISIONS = PanelSpec(
    "F1, F2 and accuracy of the decisions",
    "What the threshold makes of the probabilities; F2 counts a positive that was missed for more.",
    tuple(Series(field_of(MODEL_REALISED, name), name, ("pipeline",)) for name in ("f1", "f2", "accuracy")),
    low=0.0,
    high=1.0,
    links=(_TO_DATA,),
)
_COUNTED = PanelSpec(
    "Outcomes behind the figures",
    "All, and those of positives among them: few make wide intervals.",
    tuple(Series(field_of(MODEL_REALISED, name), name, ("pipeline",)) for name in ("outcomes", "positives")),
    low=0.0,
    links=(Link("Labels that come", DATA, "Records by table"),),
)
_VERSIONS = PanelSpec(
    "Versions",
    "Each version over all its outcomes of three hours, with 90 % intervals; `final` by labels of buckets that are "
    "built, `provisional` by those that came early.",
    (
        Newest(
            tuple(field_of(VERSION_REALISED, name) for name in _SHOWN),
            by=("model", "labels"),
            descending=True,
        ),
    ),
    kind="table",
    width=24,
    height=8,
    links=(Link("What the trainer measured", TRAINING, "AUC on the holdout"),),
)
_BY_VERSION = PanelSpec(
    "Realised AUC of each version",
    "Each version over all its outcomes of three hours, as it was known at each minute of `due`.",
    (Series(field_of(VERSION_REALISED, "auc"), by=("model",), where=_FINAL, within="last", across="max"),),
    low=0.4,
    high=1.0,
    links=(_TO_TRAINING,),
)
_DECAY = PanelSpec(
    "Decay: realised AUC by age of the model",
    "Each point is a version at a minute: its age then, and its AUC. A cloud that falls to the right is a model that "
    "decays: train more often. The axes are seconds, and AUC from 0 to 1.",
    (Against(field_of(VERSION_REALISED, "age_s"), field_of(VERSION_REALISED, "auc"), "model", _FINAL),),
    kind="scatter",
    links=(_TO_TRAINING,),
)
_SLICES = PanelSpec(
    "Slices",
    "Each level of each slice of `[training] slices`, and of the producing host, over the newest outcomes; the worst "
    "AUC first.",
    (
        Newest(
            tuple(field_of(SLICE_REALISED, name) for name in ("auc", "auc_low", "auc_high", "calibration", "outcomes")),
            by=("pipeline", "slice", "level"),
            sort=("auc",),
        ),
    ),
    kind="table",
    width=12,
    height=9,
    links=(Link("Which host's clock is wrong", DATA, "Clocks ahead: smallest delay of each host"),),
)
_SLICE_LINES = PanelSpec(
    "Realised AUC of each slice",
    "Choose a slice above; levels that part from the others have another problem than the model as a whole.",
    (Series(field_of(SLICE_REALISED, "auc"), by=("slice", "level"), within="last", across="max"),),
    width=12,
    height=9,
    low=0.0,
    high=1.0,
    links=(_TO_DATA,),
)
_AGE = PanelSpec(
    "Age of the models that answer",
    "Now minus the newest question in training, of every version that a scorer holds.",
    (Series(gauge(metrics.MODEL_AGE_SECONDS), by=("model",), within="max", across="max"),),
    links=(_TO_TRAINING,),
)
_CHAMPION = PanelSpec(
    "The champion",
    "Which version serves, and since when.",
    (Series(gauge(metrics.CURRENT_MODEL), by=("model",), within="last", across="max"),),
    kind="states",
    width=12,
    links=(Link("Overview", OVERVIEW),),
)
_SINCE = PanelSpec(
    "How long the champion has served",
    "Since it was promoted. It grows for hours where training is idle, or where somebody has pinned it.",
    (Series(gauge(metrics.CHAMPION_SINCE), by=("model", "who"), within="max", across="max", change="age"),),
    width=12,
    links=(Link("Training", TRAINING),),
)
_PINNED = PanelSpec(
    "Pinned by hand",
    "How long a version has been pinned, and by whom: newer ones wait for `hotpath models unpin`.",
    (Series(gauge(metrics.MODEL_PINNED), by=("model", "who"), within="max", across="max", change="age"),),
    width=12,
    links=(Link("Overview", OVERVIEW),),
)
_SWITCHES = PanelSpec(
    "Switches, pins and rejections",
    "By whom and why, the newest first.",
    (Events(("switch", "pin", "rejection")),),
    kind="table",
    width=12,
    links=(Link("Training", TRAINING, "Why candidates were refused, and runs failed"),),
)

MODEL_HEALTH_DASHBOARD: Final = DashboardSpec(
    MODEL_HEALTH,
    "hotpath: Model health",
    "What the answers turned out to be worth, once their labels were there.",
    ("pipeline", "version", "slice"),
    (
        Section("All that was served", (_REALISED, _CALIBRATION, _LOG_LOSS, _BRIER, _DECISIONS, _COUNTED)),
        Section("Version by version", (_VERSIONS, _BY_VERSION, _DECAY, _AGE)),
        Section("Slice by slice", (_SLICES, _SLICE_LINES)),
        Section("Switches", (_CHAMPION, _SINCE, _SWITCHES, _PINNED)),
    ),
)
