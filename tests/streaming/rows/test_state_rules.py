"""The states of questions: the rules of streaming/rows/state_rules.py against the words of the design."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import pyarrow as pa
from hypothesis import example, given
from hypothesis import strategies as st

from streaming.rows.state_rules import LABELS, QUESTIONS, Rules, first_of_each, states


class Label(NamedTuple):
    append_us: int
    partition: int
    offset: int
    value: bool


class Verdict(NamedTuple):
    state: str
    label: bool | None = None
    label_append_us: int | None = None
    label_missing: bool | None = None


Question = tuple[bool, int, list[Label]]
"""Whether it is the first, when it was appended, and the labels of its entity."""

END_US = 1_000
MOMENTS = st.integers(0, 1_300)
LABELS_OF_ONE = st.lists(st.builds(Label, MOMENTS, st.integers(0, 1), st.integers(0, 3), st.booleans()), max_size=6)
RULES = st.builds(Rules, st.integers(0, 200), st.sampled_from([None, True, False]))
QUESTION = st.tuples(st.booleans(), MOMENTS, LABELS_OF_ONE)


def in_words(first: bool, append_us: int, labels: list[Label], rules: Rules) -> Verdict:
    """Labels are looked at one after the other, in the order in which they were appended."""
    if not first:
        return Verdict("duplicate")
    counted: Label | None = None
    for label in sorted(labels):
        if label.append_us <= append_us:
            return Verdict("known")
        if label.append_us - END_US < rules.max_late_us:
            counted = label
    if counted:
        return Verdict("row", counted.value, counted.append_us, False)
    if rules.missing is not None:
        return Verdict("row", rules.missing, None, True)
    return Verdict("expired")


def verdicts(asked: list[Question], rules: Rules) -> list[Verdict]:
    questions = [{"first": first, "append_us": at, "bucket_end_us": END_US} for first, at, _ in asked]
    labels = [{"question": n} | label._asdict() for n, (_, _, seen) in enumerate(asked) for label in seen]
    found = states(pa.Table.from_pylist(questions, QUESTIONS), pa.Table.from_pylist(labels, LABELS), rules)
    return [Verdict(**row) for row in found.to_pylist()]


def verdict(append_us: int, labels: list[Label], rules: Rules) -> Verdict:
    return verdicts([(True, append_us, labels)], rules)[0]


@given(st.lists(QUESTION, max_size=5), RULES)
@example([(True, 500, [Label(500, 0, 0, True)])], Rules(0, None))
@example([(True, 500, [Label(1_000, 0, 0, True)])], Rules(0, None))
@example([(True, 500, [Label(1_099, 0, 0, True)])], Rules(100, None))
@example([(True, 500, [Label(1_100, 0, 0, True)])], Rules(100, None))
def test_a_state_is_what_the_design_says(asked: list[Question], rules: Rules) -> None:
    assert verdicts(asked, rules) == [in_words(*question, rules) for question in asked]


@given(MOMENTS, LABELS_OF_ONE, RULES, st.data())
def test_the_order_in_which_labels_are_read_says_nothing(
    append_us: int, labels: list[Label], rules: Rules, data: st.DataObject
) -> None:
    other = data.draw(st.permutations(labels)) + labels[:1]
    assert verdict(append_us, labels, rules) == verdict(append_us, other, rules)


def test_the_last_correction_in_time_counts() -> None:
    labels = [Label(600, 1, 7, False), Label(700, 0, 9, True), Label(1_050, 0, 10, False)]
    assert verdict(500, labels, Rules(50, None)) == Verdict("row", True, 700, False)
    assert verdict(500, labels, Rules(51, None)) == Verdict("row", False, 1_050, False)


def test_corrections_of_one_moment_go_by_their_place() -> None:
    labels = [Label(600, 0, 9, False), Label(600, 1, 2, True), Label(600, 1, 1, False)]
    assert verdict(500, labels, Rules(0, None)).label is True


def test_a_label_that_was_there_when_the_question_came_leaks_however_late_the_question_was() -> None:
    assert verdict(1_200, [Label(1_200, 0, 0, True)], Rules(0, None)) == Verdict("known")


def test_a_label_too_late_leaves_the_question_expired_or_missing() -> None:
    late = [Label(1_010, 0, 0, True)]
    assert verdict(500, late, Rules(10, None)) == Verdict("expired")
    assert verdict(500, late, Rules(10, False)) == Verdict("row", False, None, True)


class Place(NamedTuple):
    append_us: int
    partition: int
    offset: int
    topic: str


PLACES = st.builds(Place, st.integers(0, 3), st.integers(0, 2), st.integers(0, 3), st.sampled_from("ab"))


@given(st.lists(st.tuples(st.sampled_from("xyz"), PLACES), max_size=12))
def test_the_first_record_of_each_question_is_the_least_by_its_place(asked: list[tuple[str, Place]]) -> None:
    epoch = datetime.fromtimestamp(0, UTC)
    rows = [
        {"id": name, "append_time": epoch + timedelta(microseconds=place.append_us), **place._asdict()}
        for name, place in asked
    ]
    columns = {"id": pa.string(), "append_time": pa.timestamp("us", tz="UTC"), "append_us": pa.int64()}
    columns |= {"partition": pa.int32(), "offset": pa.int64(), "topic": pa.string()}
    found = first_of_each(pa.Table.from_pylist(rows, pa.schema(list(columns.items()))), ["id"])
    places = {row["id"]: Place(*(row[name] for name in Place._fields)) for row in found.to_pylist()}
    assert places == {name: min(place for other, place in asked if other == name) for name in {n for n, _ in asked}}
    assert found.num_rows == len(places)
