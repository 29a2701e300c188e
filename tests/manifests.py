"""A whole manifest as training writes it, for tests of whatever reads one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

from contract.manifest import FORMAT, MODEL, REFERENCE, SPEC


def sums(files: Mapping[str, bytes]) -> dict[str, dict[str, Any]]:
    """What a manifest says of these files."""
    return {
        name: {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)} for name, content in files.items()
    }


def manifest_of(version: str, **changes: Any) -> dict[str, Any]:
    """The manifest of a proposed candidate whose files are empty, as JSON has it, with changes."""
    return {
        "format": FORMAT,
        "version": version,
        "pipeline": version.rpartition("-")[0],
        "pipeline_hash": "0123456789ab",
        "rows_hash": "ba9876543210",
        "created": "2026-11-21T02:17:00.000Z",
        "proposed": True,
        "why": "at or above every floor",
        "table": {"path": "hdfs://127.0.0.1:8020/hotpath/p/tables/rows-ba9876543210", "version": 3},
        "window": {"from": "2026-11-21T01:00:00.000Z", "to": "2026-11-21T02:00:00.000Z"},
        "holdout": {"from": "2026-11-21T02:00:00.000Z", "to": "2026-11-21T02:10:00.000Z"},
        "newest_as_of": "2026-11-21T02:09:59.999Z",
        "rows": 1000,
        "holdout_rows": 200,
        "positives": 40,
        "code_version": "0.1.0",
        "h2o": {"version": "3.46.0.11", "nodes": 1, "cores": 2},
        "algorithm": "gbm",
        "hyperparameters": {"ntrees": 50},
        "metrics": {"auc": 0.75, "log_loss": 0.5, "rows": 200, "positives": 40, "slices": {}},
        "threshold": 0.5,
        "features": [{"name": "size", "type": "double", "levels": None, "min": 0.0, "max": 10.0}],
        "files": sums({MODEL: b"", SPEC: b"", REFERENCE: b""}),
    } | changes


def paths(value: Any, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Every place in a manifest that has a key of its own."""
    if not isinstance(value, dict):
        return []
    return [place for key in value for place in ((*path, key), *paths(value[key], (*path, key)))]


ODD: list[Any] = [None, True, -1, 10**400, 1e308, "", "\ud800", "1", [], {}, [[[]]], {"a": {}}, [None] * 3]


@st.composite
def damaged(draw: st.DrawFn, version: str) -> bytes:
    """A manifest with fields removed or of another type, and perhaps with bytes changed."""
    manifest = manifest_of(version)
    for path in draw(st.lists(st.sampled_from(paths(manifest)), max_size=3)):
        at = manifest
        for key in path[:-1]:
            at = at.get(key, {}) if isinstance(at, dict) else {}
        if isinstance(at, dict) and path[-1] in at:
            if draw(st.booleans()):
                del at[path[-1]]
            else:
                at[path[-1]] = draw(st.sampled_from(ODD))
    content = bytearray(json.dumps(manifest, indent=1).encode())
    for at_byte in draw(st.lists(st.integers(0, len(content) - 1), max_size=3)):
        content[at_byte] = draw(st.integers(0, 255))
    return bytes(content[: draw(st.integers(0, len(content)) | st.just(len(content)))])
