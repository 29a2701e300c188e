"""People's commands to a rollout, pure: the states and a request in; an answer and the new states out."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import Any

from serving.candidates.state_store import Model, ModelStates
from serving.rollout.plan import Observation, wanted


def answer(states: ModelStates, seen: Observation, request: dict[str, Any]) -> tuple[dict[str, Any], ModelStates]:
    """`{"do": "list" | "show" | "promote" | "rollback" | "unpin", "version", "who", "why"}` and what it gives.

    The answer is `{"ok": bool, "why": text or None, ...}`; a refused command leaves the states as they are.
    """
    who, why, version = str(request.get("who", "")), str(request.get("why", "")), request.get("version")
    match request.get("do"):
        case "list":
            return {"ok": True, "why": None, "models": _listed(states, seen)}, states
        case "show":
            found = [model for model in _listed(states, seen) if model["version"] == version]
            return ({"ok": True, "why": None, "model": found[0]} if found else _unknown(version)), states
        case "promote":
            return _pin(states, seen, version, who, why or "promoted by hand")
        case "rollback":
            return _pin(states, seen, version or _before(states, seen), who, why or "rolled back by hand")
        case "unpin":
            return _unpin(states, who, why or "unpinned by hand")
    return {"ok": False, "why": f"no such command: {request.get('do')!r}"}, states


def _listed(states: ModelStates, seen: Observation) -> list[dict[str, Any]]:
    """Every model, newest first; `wanted` marks the version that the rollout brings or has brought to serve."""
    goal = wanted(states, seen)
    newest_first = sorted(states.models.values(), key=lambda model: model.version, reverse=True)
    return [asdict(model) | {"wanted": model.version == goal} for model in newest_first]


def _pin(
    states: ModelStates, seen: Observation, version: object, who: str, why: str
) -> tuple[dict[str, Any], ModelStates]:
    model = states.models.get(str(version))
    if model is None:
        return _unknown(version), states
    if model.state == "rejected":
        return {"ok": False, "why": f"{version} was rejected and never serves: {model.why}"}, states
    if model.version not in seen.bundles | seen.proposed:
        return {"ok": False, "why": f"{version} has neither a bundle nor its files on this host"}, states
    others = [m.become(m.state, who, f"{version} was pinned", _now_us(), pinned=False) for m in _pinned(states)]
    pinned = model.become(model.state, who, why, _now_us(), pinned=True)
    changed = [other for other in others if other.version != model.version]
    return {"ok": True, "why": None, "model": asdict(pinned)}, states.with_changed([*changed, pinned])


def _unpin(states: ModelStates, who: str, why: str) -> tuple[dict[str, Any], ModelStates]:
    pinned = _pinned(states)
    if not pinned:
        return {"ok": False, "why": "no version is pinned"}, states
    changed = [model.become(model.state, who, why, _now_us(), pinned=False) for model in pinned]
    return {"ok": True, "why": None, "model": asdict(changed[0])}, states.with_changed(changed)


def _before(states: ModelStates, seen: Observation) -> str | None:
    """The version that served before the present one, and still can."""
    served = [m for m in states.models.values() if m.state == "retired" and m.version in seen.bundles]
    return max(served, key=lambda model: model.when).version if served else None


def _pinned(states: ModelStates) -> list[Model]:
    return [model for model in states.models.values() if model.pinned]


def _unknown(version: object) -> dict[str, Any]:
    what = f"no model {version}" if version else "no model served before this one and still has its bundle"
    return {"ok": False, "why": f"{what}; `hotpath models list` shows those that there are"}


def _now_us() -> int:
    return time.time_ns() // 1000
