"""People's commands to the rollout: who pins what, what is refused, and that one version at most is pinned."""

from __future__ import annotations

import json
from typing import cast

import pytest

from contract.messages.model_states import ModelState, State
from contract.messages.operator_commands import Reply, read_request
from serving.candidates.state_store import ModelStates
from serving.rollout.answer_request import answer
from serving.rollout.plan import Observation


def models(**by_version: str) -> ModelStates:
    """Versions in states, each in its state since the minute that its number says; a `!` pins."""
    found = {}
    for name, text in by_version.items():
        state, pinned = cast("State", text.rstrip("!")), text.endswith("!")
        found[name] = ModelState(name, state, pinned, "rollout", f"02:0{name[1:]}", "so", 0.7)
    return ModelStates(found)


def told(states: ModelStates, observed: Observation, do: str, version: str | None = None) -> tuple[Reply, ModelStates]:
    """The answer to a request as a client writes it."""
    request = {"do": do, "version": version, "who": "ann", "why": "two is odd"}
    return answer(states, observed, read_request(json.dumps(request).encode()))


def pinned(states: ModelStates) -> list[str]:
    return [model.version for model in states.models.values() if model.pinned]


ALL_HERE = Observation(bundles=frozenset({"v1", "v2", "v3"}))


def test_a_pin_names_its_holder_keeps_the_state_and_waits_to_be_told() -> None:
    reply, after = told(models(v1="retired", v2="champion"), ALL_HERE, "promote", "v1")
    model = after.models["v1"]
    assert reply.ok
    assert (model.state, model.pinned, model.who, model.why) == ("retired", True, "ann", "two is odd")
    assert [(record.version, record.pinned) for record in after.unsent] == [("v1", True)]


def test_a_new_pin_takes_the_place_of_the_old_one() -> None:
    _, after = told(models(v1="champion!", v2="admitted"), ALL_HERE, "promote", "v2")
    assert pinned(after) == ["v2"]
    assert [(record.version, record.pinned) for record in after.unsent] == [("v1", False), ("v2", True)]


def test_a_version_that_is_pinned_again_stays_pinned() -> None:
    _, after = told(models(v1="champion!"), ALL_HERE, "promote", "v1")
    assert pinned(after) == ["v1"]
    assert [record.pinned for record in after.unsent] == [True]


@pytest.mark.parametrize(
    ("states", "do", "version", "why"),
    [
        (models(v1="champion"), "promote", "v9", "no model v9"),
        (models(v1="champion", v2="rejected"), "promote", "v2", "v2 was rejected and never serves: so"),
        (models(v1="champion", v4="retired"), "promote", "v4", "neither a bundle nor its files on this host"),
        (models(v1="champion"), "rollback", None, "no model served before this one"),
        (models(v2="champion", v4="retired"), "rollback", None, "no model served before this one"),
        (models(v1="champion"), "unpin", None, "no version is pinned"),
        (models(v1="champion"), "show", "v9", "no model v9"),
    ],
)
def test_a_command_that_cannot_be_obeyed_says_why_and_changes_nothing(
    states: ModelStates, do: str, version: str | None, why: str
) -> None:
    reply, after = told(states, ALL_HERE, do, version)
    assert not reply.ok
    assert why in str(reply.why)
    assert after == states


def test_a_version_whose_files_are_here_can_be_promoted_although_its_bundle_is_gone() -> None:
    seen = Observation(bundles=frozenset({"v2"}), proposed=frozenset({"v1"}))
    assert told(models(v1="retired", v2="champion"), seen, "promote", "v1")[0].ok


def test_a_rollback_goes_to_the_version_that_served_last_and_still_can() -> None:
    states = models(v1="retired", v2="retired", v3="champion", v4="retired")
    assert pinned(told(states, ALL_HERE, "rollback")[1]) == ["v2"]
    assert pinned(told(states, ALL_HERE, "rollback", "v1")[1]) == ["v1"]


def test_unpinning_leaves_the_state_and_says_who_did_it() -> None:
    reply, after = told(models(v1="champion!", v2="admitted"), ALL_HERE, "unpin")
    assert reply.model is not None
    assert (reply.model.version, reply.model.who, pinned(after)) == ("v1", "ann", [])
    assert after.models["v1"].state == "champion"


def test_the_list_is_newest_first_and_marks_what_is_wanted() -> None:
    listed = told(models(v1="retired", v2="champion", v3="admitted"), ALL_HERE, "list")[0].models or []
    assert [(model.version, model.wanted) for model in listed] == [("v3", True), ("v2", False), ("v1", False)]
