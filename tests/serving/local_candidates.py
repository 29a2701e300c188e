"""Complete candidates as training writes them, made from the small model: for tests of pull and rollout."""

from __future__ import annotations

import hashlib
import json
import math
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from contract.pipeline import Pipeline
from streaming.pipeline_file.compile_pipeline import compile_pipeline
from tests.serving import small_model
from tests.serving.mojo_scoring import Reference

ROWS = 60


def version(number: int) -> str:
    """The version of the candidate made in that minute; higher numbers are newer."""
    return f"p-20261121T02{number:02}00Z"


def write_candidate(
    folder: Path, pipeline: Pipeline, number: int, *, proposed: bool = True, wrong: bool = False
) -> str:
    """A folder with model, spec, reference rows and manifest; `wrong`: a reference row that the model contradicts."""
    name = version(number)
    files = {
        "model.zip": small_model.mojo(),
        "transform.json": compile_pipeline(pipeline).spec.encode(),
        "reference.jsonl": "".join(json.dumps(row) + "\n" for row in reference_rows(wrong)).encode(),
    }
    manifest = small_model.manifest(pipeline, name) | {
        "proposed": proposed,
        "why": "test",
        "files": {
            file: {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
            for file, content in files.items()
        },
    }
    (folder / name).mkdir(parents=True, exist_ok=True)
    for file, content in files.items():
        (folder / name / file).write_bytes(content)
    part = folder / name / "manifest.part"
    part.write_text(json.dumps(manifest))
    part.rename(folder / name / "manifest.json")
    return name


def reference_rows(wrong: bool = False) -> list[dict[str, Any]]:
    """Rows as H2O would have scored them, the first fifty with their event and `as_of`."""
    model = Reference(small_model.mojo())
    return [_row(model, number, wrong and number == ROWS - 1) for number in range(ROWS)]


def _row(model: Reference, number: int, wrong: bool) -> dict[str, Any]:
    colour, size, count = small_model.COLOURS[number % 3], number % 10 + 0.5, number % 7
    as_of = datetime(2026, 11, 21, 2, 0, number % 60, tzinfo=UTC)
    probability, positive, leaves = model.score([float(number % 3), size, float(count * 2), float(as_of.second)])
    assert not math.isnan(probability)
    event = {"id": f"q{number}", "machine": "m", "colour": colour, "size": size, "count": count}
    golden = number < 50
    return {
        "features": {"colour": colour, "size": size, "many": count * 2, "seconds": as_of.second},
        "probability": probability + (0.001 if wrong else 0.0),
        "positive": positive,
        "leaves": leaves,
        "event": event if golden else None,
        "as_of": as_of.isoformat().replace("+00:00", "Z") if golden else None,
    }
