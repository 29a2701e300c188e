"""The model of machines.toml: two trees, of a colour and a size."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from contract.pipeline import Pipeline
from contract.scorecard import Card
from contract.timestamps import rfc3339_of_us
from tests.manifests import manifest_of
from tests.scorecards import as_json, card_of, tolerance_card
from tests.serving.mojo_zip import NA_LEFT, NA_RIGHT, Levels, Model, Split, mojo_zip

COLOURS = ("blue", "green", "red")
RANGES: dict[str, tuple[float, float]] = {"size": (0.0, 10.0), "many": (0.0, 100.0), "seconds": (0.0, 59.0)}
THRESHOLD = 0.5


def mojo() -> bytes:
    """`model.zip`: from size 5 on positive, whatever the colour."""
    by_size = Split(1, 5.0, NA_LEFT, -2.0, 2.0)
    by_colour = Split(0, Levels(0, len(COLOURS), frozenset({2})), NA_RIGHT, -0.25, 0.25)
    columns = {"f_colour": COLOURS, "f_size": None, "f_many": None, "f_seconds": None}
    return mojo_zip(Model(columns, [by_size, by_colour], threshold=THRESHOLD))


def manifest(pipeline: Pipeline, version: str) -> dict[str, Any]:
    """What training would have written, as far as serving reads it; the newest question is ten minutes old."""
    newest = datetime.now(UTC) - timedelta(minutes=10)
    newest_as_of = rfc3339_of_us(round(newest.timestamp()) * 1_000_000)
    colour: dict[str, Any] = {"name": "colour", "type": "string", "levels": list(COLOURS), "min": None, "max": None}
    features = [colour]
    for name, (least, most) in RANGES.items():
        kind = "double" if name == "size" else "int"
        features.append({"name": name, "type": kind, "levels": None, "min": least, "max": most})
    return manifest_of(
        version,
        pipeline=pipeline.name,
        pipeline_hash=pipeline.file_hash,
        rows_hash=pipeline.rows_hash,
        created=newest_as_of,
        newest_as_of=newest_as_of,
        threshold=THRESHOLD,
        features=features,
        scorecard=as_json(scorecard(rfc3339_of_us(round((newest + pipeline.serving.max_age).timestamp()) * 1_000_000))),
    )


def scorecard(valid_until: str) -> Card:
    """Trusted are the more certain ones of the model's four probabilities: about 0.10, 0.15, 0.85 and 0.90."""
    return card_of(
        tolerance_card("careful", 0.88, 0.12, valid_until),
        tolerance_card("lasting", 0.88, 0.12, valid_until, "answer"),
        tolerance_card("strict", None, None, valid_until),
    )
