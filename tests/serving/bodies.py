"""Generated bodies for machines.toml: good, odd and broken ones."""

from __future__ import annotations

import json

from hypothesis import strategies as st

from tests.serving.scoring_host import QUESTION

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
NAMES = st.sampled_from(["id", "machine", "at", "colour", "size", "count", "fresh", "operator", "other"])
MOMENTS = st.sampled_from(["2026-11-21T08:00:00Z", "2026-11-21T08:00:00", 1_700_000_000_000, -1, 1 << 62, "9999-12-31"])
OBJECTS = st.dictionaries(NAMES, SCALARS | MOMENTS | st.lists(SCALARS, max_size=2))
QUESTIONS = OBJECTS.map(lambda fields: QUESTION | fields)
BODIES = st.one_of(
    st.binary(max_size=60),
    SCALARS.map(lambda value: json.dumps(value).encode()),
    OBJECTS.map(lambda value: json.dumps(value).encode()),
    QUESTIONS.map(lambda value: json.dumps(value).encode()),
    QUESTIONS.map(lambda value: json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")),
    st.tuples(QUESTIONS, st.integers(0, 80), st.binary(max_size=2)).map(
        lambda cut: json.dumps(cut[0]).encode()[: cut[1]] + cut[2]
    ),
)
