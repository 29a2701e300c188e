"""Who may ask, how often, and how an answer is named and traced."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.environment import Environment, VariableError
from serving.http.caller_keys import Keys, KeysError
from serving.http.limits import Limits, Rate
from serving.http.traceparent import valid_traceparent
from serving.prediction.prediction_id import PredictionIds

TRACE = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def test_keys_come_from_the_environment_else_from_the_data_folder(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("from-file\n\nsecond\n")
    assert Keys.read(Environment({}), tmp_path / "keys").caller(b"Bearer second")
    keys = Keys.read(Environment({"HOTPATH_KEYS": "one, two"}), tmp_path / "keys")
    one, two = (keys.caller(header) for header in (b"Bearer one", b"bearer two"))
    assert one
    assert two
    assert one != two, "each caller has a name of its own"
    assert keys.caller(b"Bearer from-file") is None


@pytest.mark.parametrize(
    "header", [None, b"", b"Bearer", b"Bearer ", b"one", b"Basic one", b"Bearer One", b"\xff \xff"]
)
def test_what_holds_no_known_key_admits_nobody(header: bytes | None) -> None:
    assert Keys(["one"]).caller(header) is None


def test_without_any_key_a_scorer_does_not_start(tmp_path: Path) -> None:
    with pytest.raises(KeysError, match=r"set HOTPATH_KEYS, or write one a line to .*keys"):
        Keys.read(Environment({}), tmp_path / "keys")


def test_a_key_may_ask_at_its_rate_and_no_faster() -> None:
    rate = Rate(2.0)
    assert [rate.wait_s(b"a", 10.0) for _ in range(3)] == [0.0, 0.0, 0.5]
    assert rate.wait_s(b"b", 10.0) == 0.0, "each key has a rate of its own"
    assert [rate.wait_s(b"a", 10.5) for _ in range(2)] == [0.0, 0.5]
    assert Rate(None).wait_s(b"a", 10.0) == 0.0


def test_a_key_that_has_been_quiet_for_an_hour_has_one_seconds_worth() -> None:
    rate = Rate(2.0)
    assert rate.wait_s(b"a", 10.0) == 0.0
    assert [rate.wait_s(b"a", 3610.0) for _ in range(3)] == [0.0, 0.0, 0.5]


def test_a_key_that_asks_too_early_again_and_again_gets_its_turn_all_the_same() -> None:
    rate = Rate(0.5)
    assert [rate.wait_s(b"a", 10.0 + seconds) for seconds in (0.0, 0.0, 0.5, 1.0, 1.5)] == [0.0, 2.0, 1.5, 1.0, 0.5]
    assert rate.wait_s(b"a", 12.0) == 0.0


@given(st.floats(0.1, 1000), st.lists(st.floats(0, 0.2), max_size=200))
def test_no_second_lets_more_than_two_seconds_worth_through(per_second: float, gaps: list[float]) -> None:
    rate, now_s, passed = Rate(per_second), 0.0, []
    for gap in gaps:
        now_s += gap
        if rate.wait_s(b"a", now_s) == 0.0:
            passed.append(now_s)
    for begin in passed:
        assert sum(begin <= at_s < begin + 1 for at_s in passed) <= 2 * max(1.0, per_second) + 1


def test_a_limit_that_is_no_positive_number_is_refused_by_name() -> None:
    own = {"HOTPATH_MAX_BODY": "2000", "HOTPATH_RATE": "0.5", "HOTPATH_SPOOL": "1e6"}
    assert Limits.read(Environment(own)) == Limits(2000, 0.5, 1_000_000)
    for name, text in (
        ("HOTPATH_RATE", "0"),
        ("HOTPATH_RATE", "nan"),
        ("HOTPATH_RATE", "inf"),
        ("HOTPATH_MAX_BODY", "1 MB"),
        ("HOTPATH_SPOOL", "-1"),
    ):
        with pytest.raises(VariableError, match=name):
            Limits.read(Environment({name: text}))


@given(st.lists(st.integers(0, 2**47 * 1000 // 8), min_size=2, max_size=50))
def test_prediction_ids_rise_even_when_the_clock_falls(clock_us: list[int]) -> None:
    ids = PredictionIds()
    given_ids = [ids.next(now_us) for now_us in clock_us]
    assert sorted(set(given_ids)) == given_ids
    assert {UUID(text).version for text in given_ids} == {7}
    assert {UUID(text).variant for text in given_ids} == {"specified in RFC 4122"}


@pytest.mark.parametrize(
    "header",
    [
        None,
        b"",
        b"ff" + TRACE[2:],
        TRACE.upper(),
        TRACE[:-1],
        TRACE + b"0",
        TRACE.replace(b"b7ad6b7169203331", b"0" * 16),
    ],
)
def test_a_malformed_traceparent_is_ignored(header: bytes | None) -> None:
    assert valid_traceparent(TRACE) == TRACE.decode()
    assert valid_traceparent(header) is None
