"""What the monitor writes to InfluxDB besides the metrics, each measurement declared once: its tags, fields and units.

A metric's measurement follows from its declaration in `contract.metrics`; these have no sample that anybody scrapes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

TEXT: Final = "text"
"""The unit of a field that holds words."""


@dataclass(frozen=True)
class Measurement:
    """One measurement: `fields` by name with their units; `only_by_fault` as in `Declared`."""

    name: str
    meaning: str
    tags: tuple[str, ...]
    fields: Mapping[str, str]
    only_by_fault: bool = False


FIGURES: Final = {
    "auc": "0 to 1",
    "log_loss": "nats",
    "f1": "0 to 1",
    "f2": "0 to 1",
    "accuracy": "0 to 1",
    "brier": "0 to 1",
    "calibration": "1",
}
"""The figures of realised outcomes, with their units."""
SCORES: Final = {f"{name}{end}": unit for name, unit in FIGURES.items() for end in ("", "_low", "_high")}
"""Each figure, and its 90 % interval."""
COUNTS: Final = {"outcomes": "outcomes", "positives": "outcomes", "span_s": "s"}

MODEL_REALISED: Final = Measurement(
    "hotpath_model_realised",
    "All that was served, over as many minutes as it takes to have 30 entities of each label.",
    ("pipeline",),
    SCORES | COUNTS,
)
VERSION_REALISED: Final = Measurement(
    "hotpath_model_version_realised",
    "One version over all its outcomes of three hours; `labels` is `final`, or `provisional` for labels that came "
    "early; `age_s` is the version's age at the minute.",
    ("pipeline", "model", "labels"),
    SCORES | COUNTS | {"age_s": "s"},
)
SLICE_REALISED: Final = Measurement(
    "hotpath_model_slice_realised",
    "One level of a slice of `[training] slices`, or of `producing_host` where `[events] host` names one, over the "
    "newest hour of outcomes: 500,000 at most, and of a slice the 200 largest levels.",
    ("pipeline", "slice", "level"),
    SCORES | COUNTS,
)
EVENTS: Final = Measurement(
    "hotpath_events",
    "What happened once: `kind` is switch, rejection, pin, retrain_failure, loss or clock_alert; `model` and `host` "
    "where it is about one.",
    ("pipeline", "kind", "model", "host"),
    {"text": TEXT},
)
STATUS_SENTENCE: Final = Measurement(
    "hotpath_status_sentence",
    "The first line of the status page; `trust` is 1 where the model can be trusted, 0 where it is not known, -1 where "
    "not. Each minute, and when it changes.",
    ("pipeline",),
    {"text": TEXT, "trust": "-1 to 1"},
)
STAGE: Final = Measurement(
    "hotpath_stage",
    "A stage of the flow as the status page shows it: its place in the flow, how many problems it has, the first of "
    "them, the command that looks closer, and its figures. Each minute, and when a problem comes or goes.",
    ("pipeline", "stage"),
    {"place": "1", "problems": "problems", "problem": TEXT, "command": TEXT, "figures": TEXT},
)

MEASUREMENTS: Final = (MODEL_REALISED, VERSION_REALISED, SLICE_REALISED, EVENTS, STATUS_SENTENCE, STAGE)
"""All of them, in the order of docs/metrics.md."""
