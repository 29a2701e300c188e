"""What an operator's request changes, pure: the states and a request in; an answer and the new states out."""

from __future__ import annotations

import time

import msgspec

from contract.messages.model_states import ModelState
from contract.messages.operator_commands import (
    ListedModel,
    ListModels,
    PromoteCommand,
    Reply,
    Request,
    RollbackCommand,
    ShowModel,
    UnpinCommand,
)
from serving.candidates.state_store import ModelStates, changed
from serving.rollout.plan import Observation, wanted

Answer = tuple[Reply, ModelStates]


def answer(states: ModelStates, observed: Observation, request: Request) -> Answer:
    """The answer, and the states after it; a refused command leaves them as they are."""
    match request:
        case ListModels():
            return Reply(ok=True, models=_listed(states, observed)), states
        case ShowModel(version=version):
            found = states.models.get(version)
            return _done(states, observed, found) if found else (_unknown(version), states)
        case PromoteCommand(version=version, who=who, why=why):
            return _pin(states, observed, version, who, why or "promoted by hand")
        case RollbackCommand(version=version, who=who, why=why):
            return _pin(states, observed, version or _before(states, observed), who, why or "rolled back by hand")
        case UnpinCommand(who=who, why=why):
            return _unpin(states, observed, who, why or "unpinned by hand")


def _listed(states: ModelStates, observed: Observation) -> list[ListedModel]:
    """Every model, newest first."""
    goal = wanted(states, observed)
    newest_first = sorted(states.models.values(), key=lambda model: model.version, reverse=True)
    return [_shown(model, goal) for model in newest_first]


def _shown(model: ModelState, goal: str | None) -> ListedModel:
    return ListedModel(**msgspec.structs.asdict(model), wanted=model.version == goal)


def _done(states: ModelStates, observed: Observation, model: ModelState) -> Answer:
    return Reply(ok=True, model=_shown(model, wanted(states, observed))), states


def _pin(states: ModelStates, observed: Observation, version: str | None, who: str, why: str) -> Answer:
    model = states.models.get(version or "")
    if model is None:
        return _unknown(version), states
    if model.state == "rejected":
        return _refused(f"{version} was rejected and never serves: {model.why}"), states
    if model.version not in observed.bundles | observed.proposed:
        return _refused(f"{version} has neither a bundle nor its files on this host"), states
    others = [m for m in _pinned(states) if m.version != model.version]
    unpinned = [changed(m, m.state, who, f"{version} was pinned", _now_us(), pinned=False) for m in others]
    pinned = changed(model, model.state, who, why, _now_us(), pinned=True)
    return _done(states.with_changed([*unpinned, pinned]), observed, pinned)


def _unpin(states: ModelStates, observed: Observation, who: str, why: str) -> Answer:
    pinned = _pinned(states)
    if not pinned:
        return _refused("no version is pinned"), states
    unpinned = [changed(model, model.state, who, why, _now_us(), pinned=False) for model in pinned]
    return _done(states.with_changed(unpinned), observed, unpinned[0])


def _before(states: ModelStates, observed: Observation) -> str | None:
    """The version that served before the present one, and still can."""
    served = [m for m in states.models.values() if m.state == "retired" and m.version in observed.bundles]
    return max(served, key=lambda model: model.when).version if served else None


def _pinned(states: ModelStates) -> list[ModelState]:
    return [model for model in states.models.values() if model.pinned]


def _unknown(version: str | None) -> Reply:
    what = f"no model {version}" if version else "no model served before this one and still has its bundle"
    return _refused(f"{what}; `hotpath models list` shows those that there are")


def _refused(why: str) -> Reply:
    return Reply(ok=False, why=why)


def _now_us() -> int:
    return time.time_ns() // 1000
