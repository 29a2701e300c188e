"""The rollout's decision, as a table of situations: no process, no folder."""

from __future__ import annotations

from typing import Any, cast

import pytest

from contract.messages.model_states import ModelState, State
from serving.candidates.state_store import ModelStates
from serving.rollout.plan import (
    Action,
    Admit,
    Observation,
    Probe,
    Promote,
    Register,
    Reject,
    Scorer,
    Start,
    Stop,
    Switch,
    Wait,
    plan,
    waits_for_room,
)


def states(**by_version: str) -> ModelStates:
    """Versions in states; a `!` behind the state pins."""
    return ModelStates(
        {
            version: ModelState(version, cast("State", state.rstrip("!")), state.endswith("!"), "rollout", "", "", 0.7)
            for version, state in by_version.items()
        }
    )


def seen(*scorers: Scorer, candidates: str = "", bundles: str = "", **more: Any) -> Observation:
    names = tuple(candidates.split())
    proposed = more.pop("proposed", frozenset(names))
    return Observation(names, proposed, bundles=frozenset(bundles.split()), scorers=scorers, **more)


def scorer(version: str | None, state: Any = "standby", golden: bool = True) -> Scorer:
    return Scorer(f"{version}-{state}", version, state, golden)


V1, V2, V3 = scorer("v1", "accepting"), scorer("v2"), scorer("v3")
V1_DRAINS, V2_SERVES = scorer("v1", "draining"), scorer("v2", "accepting")
EMPTY = scorer(None, "accepting")

SITUATIONS: dict[str, tuple[ModelStates, Observation, Action]] = {
    "no model at all: somebody must answer 503": (states(), seen(), Start(None)),
    "the scorer without a model takes the address": (states(), seen(scorer(None)), Switch(scorer(None))),
    "a new candidate is recorded": (states(), seen(EMPTY, candidates="v1"), Register("v1")),
    "a recorded candidate is admitted": (states(v1="candidate"), seen(EMPTY, candidates="v1"), Admit("v1")),
    "of several candidates the newest is admitted": (
        states(v1="candidate", v2="candidate", v3="candidate"),
        seen(EMPTY, candidates="v1 v2 v3"),
        Admit("v3"),
    ),
    "a candidate that is not proposed is left": (
        states(v1="champion", v2="candidate"),
        seen(V1, candidates="v1 v2", proposed=frozenset({"v1"}), bundles="v1"),
        Wait("v1 serves"),
    ),
    "an older candidate than the champion has missed its time": (
        states(v1="candidate", v2="champion"),
        seen(V2_SERVES, candidates="v1 v2", bundles="v2"),
        Wait("v2 serves"),
    ),
    "green starts while blue serves": (states(v1="champion", v2="admitted"), seen(V1, bundles="v1 v2"), Start("v2")),
    "while the host has no room green waits": (
        states(v1="champion", v2="admitted"),
        seen(V1, bundles="v1 v2", no_room="no scorer slot is free"),
        Wait("v2 waits: no scorer slot is free"),
    ),
    "while the host has no room others are admitted": (
        states(v1="champion", v2="admitted", v3="candidate"),
        seen(V1, candidates="v3", bundles="v1 v2", no_room="no scorer slot is free"),
        Admit("v3"),
    ),
    "while the host has no room a scorer that nobody needs makes some": (
        states(v1="champion", v2="rejected", v3="admitted"),
        seen(V1, V2, bundles="v1 v3", no_room="no scorer slot is free"),
        Stop(V2),
    ),
    "green is asked the golden requests first": (
        states(v1="champion", v2="admitted"),
        seen(V1, scorer("v2", golden=False), bundles="v1 v2"),
        Probe(scorer("v2", golden=False)),
    ),
    "green that answers as H2O does gets the address": (
        states(v1="champion", v2="admitted"),
        seen(V1, V2, bundles="v1 v2"),
        Switch(V2),
    ),
    "green that accepts is recorded": (
        states(v1="champion", v2="admitted"),
        seen(V1_DRAINS, V2_SERVES, bundles="v1 v2"),
        Promote("v2"),
    ),
    "killed in mid-switch, both accept: the switch is asked again": (
        states(v1="champion", v2="admitted"),
        seen(V1, V2_SERVES, bundles="v1 v2"),
        Switch(V2_SERVES),
    ),
    "while two drain the next switch waits": (
        states(v1="retired", v2="champion", v3="admitted"),
        seen(V1_DRAINS, scorer("v0", "draining"), V2_SERVES, V3, bundles="v1 v2 v3"),
        Wait("v3 waits: 2 scorers drain"),
    ),
    "green died within the watch time, and blue was called back": (
        states(v1="retired", v2="champion"),
        seen(V1, bundles="v1 v2"),
        Promote("v1", fell_back=True),
    ),
    "green died while no manager ran: blue, still warm, is called back now": (
        states(v1="retired", v2="champion"),
        seen(V1_DRAINS, bundles="v1 v2"),
        Switch(V1_DRAINS),
    ),
    "a pinned version that died comes up again, whoever was called back meanwhile": (
        states(v1="champion!", v2="retired"),
        seen(V2_SERVES, bundles="v1 v2"),
        Start("v1"),
    ),
    "green died after blue had left: green starts again": (
        states(v1="retired", v2="champion"),
        seen(bundles="v1 v2"),
        Start("v2"),
    ),
    "after a restart of everything the champion starts before anything newer": (
        states(v1="champion", v2="admitted", v3="candidate"),
        seen(candidates="v3", bundles="v1 v2"),
        Start("v1"),
    ),
    "a live champion that is not connected yet is waited for": (
        states(v1="champion"),
        seen(scorer("v1", "unknown"), bundles="v1"),
        Wait("v1-unknown is not connected to the socket manager yet"),
    ),
    "a failed start rests": (
        states(v1="champion"),
        seen(bundles="v1", failures={"v1": 9}, resting=frozenset({"v1"})),
        Wait("v1 is not up; it is tried again"),
    ),
    "a champion is tried for ever": (states(v1="champion"), seen(bundles="v1", failures={"v1": 9}), Start("v1")),
    "green that failed three times is rejected": (
        states(v1="champion", v2="admitted"),
        seen(V1, bundles="v1 v2", failures={"v2": 3}),
        Reject("v2", "its scorer failed 3 times in a row to come up; the log says why"),
    ),
    "a rejected version of the far future holds up no candidate": (
        states(v1="champion", v2="candidate", v9="rejected"),
        seen(V1, candidates="v2", bundles="v1"),
        Admit("v2"),
    ),
    "a rejected version never serves": (
        states(v1="champion", v2="rejected"),
        seen(V1, candidates="v2", bundles="v1 v2"),
        Wait("v1 serves"),
    ),
    "a pinned version stays, newer ones are admitted all the same": (
        states(v1="champion!", v2="admitted", v3="candidate"),
        seen(V1, candidates="v2 v3", bundles="v1 v2"),
        Admit("v3"),
    ),
    "a pinned version stays": (states(v1="champion!", v2="admitted"), seen(V1, bundles="v1 v2"), Wait("v1 serves")),
    "a rollback by hand brings the pinned one back": (
        states(v1="retired!", v2="champion"),
        seen(V2_SERVES, bundles="v1 v2"),
        Start("v1"),
    ),
    "a rollback to a draining one needs no new process": (
        states(v1="retired!", v2="champion"),
        seen(V1_DRAINS, V2_SERVES, bundles="v1 v2"),
        Switch(V1_DRAINS),
    ),
    "a pinned version without its bundle is compiled again": (
        states(v1="retired!", v2="champion"),
        seen(V2_SERVES, candidates="v1 v2", bundles="v2"),
        Admit("v1"),
    ),
    "a champion whose bundle is gone is compiled again": (
        states(v1="champion"),
        seen(candidates="v1"),
        Admit("v1"),
    ),
    "an admitted one that is older than the champion has missed its time": (
        states(v1="admitted", v2="champion"),
        seen(V2_SERVES, bundles="v1 v2"),
        Wait("v2 serves"),
    ),
    "without a champion the newest that served and still has its bundle comes back": (
        states(v1="retired", v2="retired", v3="rejected"),
        seen(bundles="v1"),
        Start("v1"),
    ),
    "a champion that is not connected yet has not died, whoever serves": (
        states(v1="retired", v2="champion"),
        seen(V1, scorer("v2", "unknown"), bundles="v1 v2"),
        Wait("v2-unknown is not connected to the socket manager yet"),
    ),
    "a pinned champion that died starts again, although blue is still warm": (
        states(v1="retired", v2="champion!"),
        seen(V1_DRAINS, bundles="v1 v2"),
        Start("v2"),
    ),
    "a draining scorer without a model is nobody to call back": (
        states(v1="champion"),
        seen(scorer(None, "draining"), bundles="v1"),
        Start("v1"),
    ),
    "of several that are still warm the last one is called back": (
        states(v1="retired", v2="retired", v3="champion"),
        seen(V1_DRAINS, scorer("v2", "draining"), bundles="v1 v2 v3"),
        Switch(scorer("v2", "draining")),
    ),
    "while nobody accepts the next switch waits for no draining one": (
        states(v0="retired", v1="retired", v2="champion"),
        seen(scorer("v0", "draining"), V1_DRAINS, V2, bundles="v0 v1 v2"),
        Switch(V2),
    ),
    "a champion of which nothing is here is not rejected": (
        states(v1="champion"),
        seen(),
        Wait("v1 is not up; it is tried again"),
    ),
    "of two scorers of the champion the one that serves stays": (
        states(v1="champion"),
        seen(scorer("v1"), V1, bundles="v1"),
        Stop(scorer("v1")),
    ),
    "a new candidate is recorded before green comes up": (
        states(v1="champion", v2="admitted"),
        seen(V1, candidates="v3", bundles="v1 v2"),
        Register("v3"),
    ),
    "a scorer that nobody needs stops": (
        states(v1="champion", v2="rejected"),
        seen(V1, V2, bundles="v1"),
        Stop(V2),
    ),
}


@pytest.mark.parametrize("situation", SITUATIONS)
def test_decides(situation: str) -> None:
    before, look, expected = SITUATIONS[situation]
    assert plan(before, look) == expected


@pytest.mark.parametrize(
    ("models", "observed", "waits"),
    [
        (states(v1="champion", v2="admitted"), seen(V1, bundles="v1 v2", no_room="full"), "full"),
        (states(v1="champion", v2="admitted"), seen(V1, bundles="v1 v2"), None),
        (states(v1="champion"), seen(V1, bundles="v1", no_room="full"), None),
        (states(v1="champion", v2="admitted"), seen(V1, V2, bundles="v1 v2", no_room="full"), None),
        (states(), seen(no_room="full"), "full"),
        (states(), seen(EMPTY, no_room="full"), None),
    ],
    ids=["green waits", "there is room", "nothing is to be started", "green runs", "nobody answers", "somebody does"],
)
def test_a_full_host_is_trouble_only_to_a_pipeline_that_waits_for_room(
    models: ModelStates, observed: Observation, waits: str | None
) -> None:
    assert waits_for_room(models, observed) == waits
