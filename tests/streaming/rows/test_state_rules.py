"""The states of questions: the rules of streaming/rows/state_rules.py against the words of the design."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from streaming.rows.state_rules import LabelSeen, Rules, Verdict, state_of

END_US = 1_000
MOMENTS = st.integers(0, 1_300)
LABELS = st.lists(st.builds(LabelSeen, MOMENTS, st.integers(0, 1), st.integers(0, 3), st.booleans()), max_size=6)
RULES = st.builds(Rules, st.integers(0, 200), st.sampled_from([None, True, False]))


def in_words(first: bool, append_us: int, labels: list[LabelSeen], rules: Rules) -> Verdict:
    """Labels are looked at one after the other, in the order in which they were appended."""
    if not first:
        return Verdict("duplicate")
    counted: LabelSeen | None = None
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


@given(st.booleans(), MOMENTS, LABELS, RULES)
@example(True, 500, [LabelSeen(500, 0, 0, True)], Rules(0, None))
@example(True, 500, [LabelSeen(1_000, 0, 0, True)], Rules(0, None))
@example(True, 500, [LabelSeen(1_099, 0, 0, True)], Rules(100, None))
@example(True, 500, [LabelSeen(1_100, 0, 0, True)], Rules(100, None))
def test_a_state_is_what_the_design_says(first: bool, append_us: int, labels: list[LabelSeen], rules: Rules) -> None:
    assert state_of(first, append_us, END_US, labels, rules) == in_words(first, append_us, labels, rules)


@given(MOMENTS, LABELS, RULES, st.data())
def test_the_order_in_which_labels_are_read_says_nothing(
    append_us: int, labels: list[LabelSeen], rules: Rules, data: st.DataObject
) -> None:
    other = data.draw(st.permutations(labels)) + labels[:1]
    assert state_of(True, append_us, END_US, labels, rules) == state_of(True, append_us, END_US, other, rules)


def test_the_last_correction_in_time_counts() -> None:
    labels = [LabelSeen(600, 1, 7, False), LabelSeen(700, 0, 9, True), LabelSeen(1_050, 0, 10, False)]
    assert state_of(True, 500, END_US, labels, Rules(50, None)) == Verdict("row", True, 700, False)
    assert state_of(True, 500, END_US, labels, Rules(51, None)) == Verdict("row", False, 1_050, False)


def test_corrections_of_one_moment_go_by_their_place() -> None:
    labels = [LabelSeen(600, 0, 9, False), LabelSeen(600, 1, 2, True), LabelSeen(600, 1, 1, False)]
    assert state_of(True, 500, END_US, labels, Rules(0, None)).label is True


def test_a_label_that_was_there_when_the_question_came_leaks_however_late_the_question_was() -> None:
    assert state_of(True, 1_200, END_US, [LabelSeen(1_200, 0, 0, True)], Rules(0, None)) == Verdict("known")


def test_a_label_too_late_leaves_the_question_expired_or_missing() -> None:
    late = [LabelSeen(1_010, 0, 0, True)]
    assert state_of(True, 500, END_US, late, Rules(10, None)) == Verdict("expired")
    assert state_of(True, 500, END_US, late, Rules(10, False)) == Verdict("row", False, None, True)
