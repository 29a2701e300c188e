"""Moments read in one way, wherever they stand: in a record's body by Rust, in `as_of` by Python."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.timestamps import END_US, FIRST_US, exact_rfc3339, parse_us
from streaming.pipeline_file.load import load
from tests.streaming.pipelines import MINIMAL, transform_of

TRANSFORM = transform_of(load(MINIMAL))
READING = {"reading": 1, "machine": 1, "shift": 1, "temperature": 1.0}

READABLE = {
    "1970-01-01T00:00:00Z": 0,
    "1969-12-31T23:59:59.9999999Z": -1,
    "2026-01-01 00:00:00z": 1_767_225_600_000_000,
    "2026-01-01t05:30:00.000001-18:30": 1_767_312_000_000_001,
    "2026-01-01T12:30:00-00:00": 1_767_270_600_000_000,
    "2026-01-01T12:30:60Z": 1_767_270_659_000_000,
    "2016-12-31T23:59:60.999999999Z": 1_483_228_799_999_999,
    "9999-12-31T23:59:60Z": 253_402_300_799_000_000,
    "0000-12-31T23:00:00-02:00": FIRST_US + 3_600_000_000,
    "0001-01-01T14:00:00+14:00": FIRST_US,
}
UNREADABLE = (
    "",
    "2026-01-01T12:30:61Z",
    "2026-01-01T12:60:00Z",
    "2026-01-01T24:00:00Z",
    "2026-02-29T00:00:00Z",
    "2026-13-01T00:00:00Z",
    "2026-01-00T00:00:00Z",
    "2026-01-01T12:30:00",
    "2026-01-01T12:30:00.Z",
    "2026-01-01T12:30:00.1234567891Z",
    "2026-01-01T12:30:00+24:00",
    "2026-01-01T12:30:00+12:60",
    "2026-01-01T12:30:00+1200",
    "2026-W01-1T12:30:00Z",
    "20260101T123000Z",
    "٢٠٢٦-01-01T12:30:00Z",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-23:59",
    "0000-01-01T00:00:00Z",
    "10000-01-01T00:00:00Z",
)

YEARS = st.sampled_from(("0000", "0001", "0004", "1900", "1970", "2000", "2024", "2026", "9999"))


def two(most: int) -> st.SearchStrategy[str]:
    """Two digits, seldom more than they may be."""
    return st.integers(0, most + 1).map("{:02}".format)


TEXTS = st.builds(
    "{}-{}-{}{}{}:{}:{}{}{}".format,
    YEARS | st.integers(0, 9999).map("{:04}".format),
    two(12),
    two(31),
    st.sampled_from("Tt "),
    two(23),
    two(59),
    two(60),
    st.just("") | st.text("0123456789", max_size=10).map(".{}".format),
    st.sampled_from(("Z", "z", "")) | st.builds("{}{}:{}".format, st.sampled_from("+-"), two(23), two(59)),
)


def in_a_body(text: str) -> int | None:
    """The microseconds that the native decoder reads."""
    question = TRANSFORM.question(json.dumps(READING | {"read_at": text}).encode(), None, 0)
    return None if question["errors"] else int(question["as_of_us"])


def in_as_of(text: str) -> int | None:
    try:
        return parse_us(text)
    except ValueError:
        return None


@pytest.mark.parametrize(("text", "us"), READABLE.items())
def test_a_moment_is_the_same_in_a_body_and_in_as_of(text: str, us: int) -> None:
    assert (in_a_body(text), in_as_of(text)) == (us, us)


@pytest.mark.parametrize("text", UNREADABLE)
def test_what_is_no_moment_is_none_in_either(text: str) -> None:
    assert (in_a_body(text), in_as_of(text)) == (None, None)


@settings(max_examples=300)
@given(TEXTS)
def test_drawn_texts_are_read_alike(text: str) -> None:
    assert in_a_body(text) == in_as_of(text)


@given(TEXTS, st.integers(0, 40), st.characters())
def test_damaged_texts_are_read_alike(text: str, at: int, character: str) -> None:
    damaged = text[:at] + character + text[at + 1 :]
    assert in_a_body(damaged) == in_as_of(damaged)


@given(st.integers(FIRST_US, END_US - 1))
def test_a_written_moment_is_read_back(us: int) -> None:
    text = exact_rfc3339(us)
    assert (in_a_body(text), in_as_of(text)) == (us, us)
