"""What goes over the manager's socket: it comes back as it was sent, and the previous version understands it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.messages.codec import Message, Unreadable, encode
from contract.messages.listener import (
    STATES,
    Accept,
    AskState,
    AskStop,
    AskSwitch,
    Drain,
    ScorerReport,
    Stop,
    decode_order,
    decode_to_manager,
)

NAMES = st.from_regex(r"\A[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}\Z")
SECONDS = st.floats(0, 1e9)
REPORTS = st.builds(
    ScorerReport, name=NAMES, pipeline=NAMES, state=st.sampled_from(STATES), model=st.none() | st.text(), door=NAMES
)
QUESTIONS = (
    st.builds(AskState, pipeline=NAMES, door=NAMES)
    | st.builds(AskSwitch, pipeline=NAMES, to=NAMES, drain_s=SECONDS, stay_s=SECONDS, door=NAMES)
    | st.builds(AskStop, pipeline=NAMES, name=NAMES, door=NAMES)
)
ORDERS = st.builds(Accept, door=NAMES) | st.builds(Drain, deadline_s=SECONDS, stay_s=SECONDS) | st.builds(Stop)


@given(REPORTS | QUESTIONS)
def test_what_the_manager_hears_comes_back_as_it_was_sent(message: Message) -> None:
    assert decode_to_manager(encode(message)) == message


@given(ORDERS)
def test_what_a_scorer_hears_comes_back_as_it_was_sent(order: Message) -> None:
    assert decode_order(encode(order)) == order


@given(st.binary(max_size=100) | st.recursive(st.none() | st.text(), st.lists).map(lambda v: json.dumps(v).encode()))
def test_anything_else_is_refused_in_words(content: bytes) -> None:
    for read in (decode_order, decode_to_manager):
        with pytest.raises(Unreadable) as refused:
            read(content)
        assert str(refused.value)


@pytest.mark.parametrize(
    ("sent", "understood"),
    [
        (Accept(), {"do": "accept"}),
        (Drain(deadline_s=75.0, stay_s=0.0), {"do": "drain", "deadline_s": 75.0, "stay_s": 0.0}),
        (Stop(), {"do": "leave"}),
        (
            ScorerReport(name="s", pipeline="p", state="standby"),
            {"role": "scorer", "name": "s", "pipeline": "p", "model": None, "state": "standby"},
        ),
        (AskState(pipeline="p"), {"role": "rollout", "pipeline": "p", "do": "state"}),
        (
            AskSwitch(pipeline="p", to="s", drain_s=1.0, stay_s=2.0),
            {"role": "rollout", "pipeline": "p", "do": "switch", "to": "s", "drain_s": 1.0, "stay_s": 2.0},
        ),
        (AskStop(pipeline="p", name="s"), {"role": "rollout", "pipeline": "p", "do": "leave", "name": "s"}),
    ],
)
def test_the_previous_version_finds_its_keys_and_beside_them_version_and_door(
    sent: Message, understood: dict[str, Any]
) -> None:
    assert json.loads(encode(sent)) == understood | {"v": 1, "door": "hot"}


def test_what_the_previous_version_sends_is_of_the_hot_door() -> None:
    report = decode_to_manager(b'{"role":"scorer","name":"s","pipeline":"p","model":"m","state":"draining"}')
    assert report == ScorerReport(name="s", pipeline="p", state="draining", model="m", door="hot")


@pytest.mark.parametrize("name", ["", "../s", "a/b", ".hidden", "a\nb", "a" * 201, "\ud800"])
def test_a_name_that_could_be_another_path_is_refused(name: str) -> None:
    report = {"role": "scorer", "name": name, "pipeline": "p", "model": None, "state": "standby"}
    with pytest.raises(Unreadable):
        decode_to_manager(json.dumps(report).encode())
