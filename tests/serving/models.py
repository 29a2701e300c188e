"""Small pipelines and random models for the tests of bundles: a field is a feature of the same name."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Mapping, Sequence
from typing import Any

from hypothesis import strategies as st

from tests.manifests import manifest_of
from tests.serving.mojo_zip import LEFT, NA_LEFT, NA_RIGHT, NA_VS_REST, RIGHT, Levels, Model, Split, Tree

TYPES = {"n": "double", "i": "int", "s": "string", "t": "string", "b": "boolean"}
"""Feature -> type; `n` and `i` are numeric, the others categorical."""

LEVELS: dict[str, list[str]] = {
    "s": ["", " x ", "NA", "a", "é", "line\nbreak", "back\\slash"],
    "t": [f"level {number}" for number in range(70)],
    "b": ["False", "True"],
}


def spec(types: Mapping[str, str] = TYPES) -> str:
    """The transform's spec of a pipeline whose features are its fields."""
    fields = [_field(name, kind) for name, kind in {"id": "string", "time": "timestamp", **types}.items()]
    inputs = [[name, kind] for name, kind in types.items()]
    outputs = [[name, kind, f"f{at}"] for at, (name, kind) in enumerate(types.items())]
    known = {"format": 1, "fields": [["late", "boolean"]], "constants": [], "instructions": []}
    return json.dumps(
        {
            "version": 1,
            "pipeline": "p",
            "event": {"fields": fields, "key": ["id"], "id": "id", "time": "time", "host": None},
            "label": {
                "fields": [_field("id", "string"), _field("late", "boolean")],
                "key": ["id"],
                "time": None,
                "value": known | {"outputs": [["value", "boolean", "f0"]]},
            },
            "wait": {"duration_us": 60_000_000},
            "max_wait_us": 300_000_000,
            "features": {
                "columns": [{"name": name, "type": kind} for name, kind in types.items()],
                "program": known | {"fields": inputs, "outputs": outputs},
            },
        }
    )


def manifest(types: Mapping[str, str] = TYPES) -> dict[str, Any]:
    """A whole manifest of these features; whoever writes the files adds their sums."""
    features = [
        {"name": name, "type": kind, "levels": LEVELS.get(name), "min": None, "max": None}
        for name, kind in types.items()
    ]
    return manifest_of("p-20261121T021700Z", features=features, files={})


def columns(order: Sequence[str]) -> dict[str, Sequence[str] | None]:
    """The model's columns for features in this order."""
    return {f"f_{name}": LEVELS.get(name) for name in order}


def as_row(features: Mapping[str, Any], order: Sequence[str]) -> list[float]:
    """The doubles that H2O scores for these features: NaN for whatever is missing or unseen."""
    return [_number(name, features[name]) for name in order]


def _number(name: str, value: Any) -> float:
    if value is None:
        return math.nan
    if name in LEVELS:
        level = str(value)
        return float(LEVELS[name].index(level)) if level in LEVELS[name] else math.nan
    missing = math.isinf(value) or (isinstance(value, int) and value == -(2**63))
    return math.nan if missing else float(value)


def _field(name: str, kind: str) -> dict[str, Any]:
    return {"name": name, "type": kind, "required": False, "sensitive": False}


_INTERESTING = [0.0, -0.0, 0.1, 1e-45, 16777217.0, 2147483648.0, -1.5, 3.4e38]
_floats = st.floats(width=32, allow_nan=False, allow_infinity=False)
thresholds = st.one_of(st.sampled_from([struct.unpack("f", struct.pack("f", x))[0] for x in _INTERESTING]), _floats)


@st.composite
def _splits(draw: st.DrawFn, order: Sequence[str], below: st.SearchStrategy[Tree]) -> Split:
    column = draw(st.integers(0, len(order) - 1))
    missing = draw(st.sampled_from([NA_VS_REST, NA_LEFT, NA_RIGHT, LEFT, RIGHT]))
    rule: float | Levels | None = None
    if missing != NA_VS_REST:
        categorical = order[column] in LEVELS and draw(st.booleans())
        rule = draw(_level_sets() if categorical else thresholds)
    return Split(column, rule, missing, draw(below), draw(below))


@st.composite
def _level_sets(draw: st.DrawFn) -> Levels:
    offset, count = draw(st.sampled_from([(0, 32), (0, 7), (2, 3), (30, 41), (1, 64), (60, 1)]))
    return Levels(offset, count, frozenset(draw(st.sets(st.integers(offset, offset + count - 1)))))


def trees(order: Sequence[str]) -> st.SearchStrategy[Tree]:
    """Trees over these columns, from one leaf to some dozens of nodes."""
    leaves = st.floats(-2, 2, width=32)
    return st.recursive(leaves, lambda below: _splits(order, below), max_leaves=24)


@st.composite
def models(draw: st.DrawFn) -> tuple[Model, list[str]]:
    """A model and the order of its columns: some features are dropped, the rest reordered."""
    order = draw(st.permutations(list(TYPES)))[: draw(st.integers(1, len(TYPES)))]
    forest = draw(st.lists(trees(order), min_size=1, max_size=4))
    init_f, threshold = draw(st.floats(-1, 1)), draw(st.floats(0, 1))
    return Model(columns(order), forest, init_f, threshold), list(order)


_numbers = st.one_of(st.sampled_from([*_INTERESTING, math.nan, math.inf, -math.inf]), st.floats())
_near = thresholds.map(lambda x: math.nextafter(x, math.inf)) | thresholds.map(lambda x: math.nextafter(x, -math.inf))
rows = st.fixed_dictionaries(
    {
        "n": st.none() | _numbers | _near,
        "i": st.none() | st.integers(-(2**63), 2**63 - 1) | st.integers(-3, 3),
        "s": st.none() | st.sampled_from(LEVELS["s"]) | st.text(max_size=3),
        "t": st.none() | st.sampled_from(LEVELS["t"]) | st.just("level 70"),
        "b": st.none() | st.booleans(),
    }
)
