"""Candidates for admission, made of a test's own model: the reference is `mojo_scoring`, in H2O's place."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.serving.models import TYPES, as_row, manifest, spec
from tests.serving.mojo_scoring import Reference
from tests.serving.mojo_zip import Model, mojo_zip

AS_OF = "2026-11-21T08:00:00.000000Z"


def reference_rows(model: Model, order: Sequence[str], rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows of reference.jsonl for these features; each has an event that gives them."""
    reference = Reference(mojo_zip(model))
    made = []
    for number, given in enumerate(rows):
        features = {name: None if value == "" else value for name, value in given.items()}  # as the rows job writes it
        probability, positive, leaves = reference.score(as_row(features, order))
        event = {"id": f"q{number}", "time": AS_OF, **given}
        answer = {"probability": probability, "positive": positive, "leaves": leaves}
        made.append({"features": features, **answer, "event": event, "as_of": AS_OF})
    return made


def write_candidate(
    folder: Path, mojo: bytes, reference: Sequence[dict[str, Any]], types: Mapping[str, str] = TYPES
) -> Path:
    """A complete candidate: manifest, MOJO, spec, reference rows."""
    folder.mkdir(exist_ok=True)
    lines = "".join(json.dumps(row) + "\n" for row in reference)
    contents = {"model.zip": mojo, "transform.json": spec(types).encode(), "reference.jsonl": lines.encode()}
    about = manifest(types)
    for name, content in contents.items():
        (folder / name).write_bytes(content)
        about["files"][name] = {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    (folder / "manifest.json").write_text(json.dumps(about))
    return folder
