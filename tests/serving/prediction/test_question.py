"""A question's options are read strictly, and every fault among them is named at once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.timestamps import parse_us, rfc3339_of_us
from serving.prediction.question import Options, read_options

EARLIEST_US, END_US = -62_135_596_800_000_000, 253_402_300_800_000_000  # the years 1 to 9999
AT_EIGHT_US = 1_769_846_400_000_000  # 2026-01-31T08:00:00Z


def faults_of(query: bytes) -> list[tuple[str, str | None]]:
    return [(fault.code, fault.field) for fault in read_options(query)[1]]


@pytest.mark.parametrize(
    ("text", "moment_us"),
    [
        ("2026-01-31T08:00:00Z", AT_EIGHT_US),
        ("2026-01-31t08:00:00z", AT_EIGHT_US),
        ("2026-01-31 08:00:00Z", AT_EIGHT_US),
        ("2026-01-31T10:00:00%2B02:00", AT_EIGHT_US),
        ("2026-01-31T03:00:00-05:00", AT_EIGHT_US),
        ("2026-01-31T08:00:00.123456789Z", AT_EIGHT_US + 123_456),
        ("1769846400123", AT_EIGHT_US + 123_000),
        ("-1", -1_000),
    ],
)
def test_as_of_is_rfc_3339_or_epoch_milliseconds(text: str, moment_us: int) -> None:
    assert read_options(f"as_of={text}".encode()) == (Options(as_of_us=moment_us), [])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "1e12",
        "9" * 16,
        "%D9%A1",  # a digit, but not an ASCII one
        "%ff",
        "2026-01-31",
        "2026-01-31T08:00:00",
        "2026-01-31T25:00:00Z",
        "2026-02-30T08:00:00Z",
        "20260131T080000Z",
        "2026-01-31T08:00:00+02:00",  # the + is a space
        "0001-01-01T00:00:00%2B23:59",
    ],
)
def test_any_other_as_of_is_refused(text: str) -> None:
    assert faults_of(f"as_of={text}".encode()) == [("wrong_type", "as_of")]


def test_explain_is_reserved() -> None:
    _, (fault,) = read_options(b"explain=1")
    assert (fault.field, fault.detail) == ("explain", "`explain` is not in this version")


def test_a_tolerance_is_one_of_the_known_ones() -> None:
    assert read_options(b"tolerance=careful", ("careful", "bold")) == (Options(tolerance="careful"), [])


@pytest.mark.parametrize(
    ("name", "known", "hint"),
    [
        ("carefull", ("careful", "bold"), "did you mean `careful`?"),
        ("x", ("careful", "bold"), "there are `careful`, `bold`"),
        ("x", (), "this pipeline has none"),
    ],
)
def test_an_unknown_tolerance_is_refused_with_the_nearest_name(name: str, known: tuple[str, ...], hint: str) -> None:
    options, (fault,) = read_options(f"tolerance={name}".encode(), known)
    assert options.tolerance is None
    assert (fault.code, fault.field) == ("unknown_tolerance", "tolerance")
    assert fault.detail.endswith(hint)


def test_an_unknown_parameter_is_refused_with_the_nearest_name() -> None:
    _, (fault,) = read_options(b"asof=1769846400000")
    assert (fault.code, fault.field) == ("unknown_parameter", "asof")
    assert "did you mean `as_of`?" in fault.detail


def test_every_faulty_parameter_is_listed() -> None:
    query = b"as_of=x&strict=yes&tolerance=1&colour=red&strict=1"
    assert set(faults_of(query)) == {
        ("unknown_parameter", "colour"),
        ("unknown_tolerance", "tolerance"),
        ("repeated", "strict"),
        ("wrong_type", "as_of"),
    }


@pytest.mark.parametrize(("query", "strict"), [(b"strict=1", True), (b"strict=0", False), (b"", False)])
def test_strict_is_one_or_zero(query: bytes, strict: bool) -> None:
    assert read_options(query) == (Options(strict=strict), [])
    assert faults_of(b"strict=") == faults_of(b"strict=true") == [("wrong_type", "strict")]


@given(st.binary(max_size=200))
def test_no_query_string_raises(query: bytes) -> None:
    options, faults = read_options(query)
    assert options == Options() or not any(fault.field in ("as_of", "strict") for fault in faults)


@given(st.datetimes(timezones=st.builds(timezone, st.integers(-720, 720).map(lambda m: timedelta(minutes=m)))))
def test_a_moment_written_and_read_again_is_the_same_to_the_millisecond(moment: datetime) -> None:
    moment_us = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    if moment_us < EARLIEST_US or moment_us >= END_US:
        with pytest.raises(ValueError, match="outside the years"):
            parse_us(moment.isoformat())
    else:
        assert parse_us(moment.isoformat()) == moment_us
        assert parse_us(rfc3339_of_us(moment_us)) == moment_us // 1000 * 1000
