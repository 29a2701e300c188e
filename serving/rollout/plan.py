"""The rollout's plan: the next action, from the models' states and what is observed. Pure: no I/O, no clock.

It is derived anew at each turn, so a rollout that was killed anywhere goes on from what it then observes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Final, Literal

from contract.messages.model_states import ModelState
from contract.process_identity import Process
from serving.candidates.state_store import ModelStates

MOST_DRAINING: Final = 2
"""While so many scorers drain or stay warm, the next switch waits."""
MOST_STARTS: Final = 3
"""A model whose scorer failed to come up so often in a row is rejected, unless it is the champion."""

State = Literal["standby", "accepting", "draining", "unknown"]


@dataclass(frozen=True)
class Scorer:
    """A scorer process that lives. `version` None: it has no model and answers 503."""

    name: str
    version: str | None
    state: State
    """As the socket manager says; unknown: it is not connected (yet)."""
    golden: bool = False
    """It has answered the golden requests as H2O does."""
    hangs: bool = False
    """It has not been connected for too long."""


@dataclass(frozen=True)
class GoneScorer:
    """A scorer that was written down, and whose process has ended. `failed`: it never served, and was to stay."""

    name: str
    version: str | None
    failed: bool
    trouble: str | None = None
    """Why it could not start, where the host and not its model is to blame."""


@dataclass(frozen=True)
class UnrecordedScorer:
    """A scorer that is connected to the socket manager, and that nobody has written down."""

    name: str
    version: str | None
    process: Process | None = None
    """None where it runs in a slot."""


@dataclass(frozen=True)
class Observation:
    """What there is on this host in one moment. Versions are sorted, oldest first."""

    candidates: tuple[str, ...] = ()
    """Complete here, proposed or not."""
    proposed: frozenset[str] = frozenset()
    unreadable: Mapping[str, str] = field(default_factory=dict)
    """Why the manifest of a candidate does not read, by version."""
    bundles: frozenset[str] = frozenset()
    scorers: tuple[Scorer, ...] = ()
    gone: tuple[GoneScorer, ...] = ()
    unrecorded: tuple[UnrecordedScorer, ...] = ()
    failures: Mapping[str | None, int] = field(default_factory=dict)
    """Starts in a row that failed and that the model may be to blame for, by version."""
    resting: frozenset[str | None] = frozenset()
    """Versions whose next start waits a little after a failed one."""
    no_room: str | None = None
    """Why no scorer can be started now, where the host has no room for one."""


@dataclass(frozen=True)
class Forget:
    """A scorer has ended: remove what is left of it, and count a start that failed."""

    scorer: GoneScorer


@dataclass(frozen=True)
class Adopt:
    """Write down a scorer whose rollout was killed before it could."""

    scorer: UnrecordedScorer


@dataclass(frozen=True)
class Kill:
    """End a scorer that hangs; it has then failed to start."""

    scorer: Scorer


@dataclass(frozen=True)
class Register:
    """Record a candidate that is new here."""

    version: str


@dataclass(frozen=True)
class Admit:
    """Compile the candidate into a bundle and compare it with H2O."""

    version: str


@dataclass(frozen=True)
class Start:
    """Start a scorer with this bundle, or (None) without one."""

    version: str | None


@dataclass(frozen=True)
class Probe:
    """Ask the scorer the golden requests at its own socket."""

    scorer: Scorer


@dataclass(frozen=True)
class Switch:
    """Give the scorer the hot address; the others drain."""

    scorer: Scorer


@dataclass(frozen=True)
class Promote:
    """The version serves: record it as champion. `fell_back`: since the champion before it died."""

    version: str
    fell_back: bool = False


@dataclass(frozen=True)
class Reject:
    """Never serve this version; the reason is shown to people."""

    version: str
    why: str


@dataclass(frozen=True)
class Stop:
    """A scorer that nobody needs stops."""

    scorer: Scorer


@dataclass(frozen=True)
class Wait:
    """Nothing to do until something changes."""

    why: str


Action = Forget | Adopt | Kill | Register | Admit | Start | Probe | Switch | Promote | Reject | Stop | Wait


def plan(states: ModelStates, observed: Observation) -> Action:
    """The next action. Serving comes before admitting: whoever is asked now is more urgent than a better model."""
    return (
        _keep_account(observed)
        or _record_what_serves(states, observed)
        or _register(states, observed)
        or _serve(states, observed)
        or _stop(states, observed)
        or _admit(states, observed)
        or Wait(_why_waiting(states, observed))
    )


def wanted(states: ModelStates, observed: Observation) -> str | None:
    """The version that should serve: the pinned one, else the newest admitted one, else the champion.

    Without any of these (the champion was rejected), the newest one that served before and still has its bundle.
    """
    pinned, champion = states.pinned(), states.champion()
    if pinned:
        return pinned.version
    newer = [m.version for m in states.models.values() if m.state == "admitted" and _is_newer(m, champion)]
    if newer or champion:
        return max(newer) if newer else champion.version if champion else None
    before = [m.version for m in states.models.values() if m.state == "retired" and m.version in observed.bundles]
    return max(before, default=None)


def _record_what_serves(states: ModelStates, observed: Observation) -> Action | None:
    """A switch whose record is missing (we were killed, or blue was called back) is recorded now."""
    champion = states.champion()
    for scorer in observed.scorers:
        version = scorer.version
        if scorer.state != "accepting" or version is None or version not in states.models:
            continue
        if champion and version == champion.version:
            return None
        if version == wanted(states, observed):
            return Promote(version)
        if champion and not champion.pinned and not _living(champion.version, observed):
            return Promote(version, fell_back=True)
    return None


def _keep_account(observed: Observation) -> Action | None:
    """What is written down of scorers agrees with their processes before anything else is done."""
    hanging = [scorer for scorer in observed.scorers if scorer.hangs]
    steps: Iterable[Action] = chain(map(Forget, observed.gone), map(Adopt, observed.unrecorded), map(Kill, hanging))
    return next(iter(steps), None)


def _register(states: ModelStates, observed: Observation) -> Action | None:
    """Record a candidate that is new. One whose manifest does not read is rejected, unless it was admitted before."""
    for version in observed.candidates:
        model = states.models.get(version)
        if version in observed.unreadable and (model is None or model.state == "candidate"):
            return Reject(version, observed.unreadable[version])
        if model is None:
            return Register(version)
    return None


def _serve(states: ModelStates, observed: Observation) -> Action | None:
    """Bring the wanted version to the hot address; while nobody serves at all, the champion comes first."""
    champion = states.champion()
    anybody = any(scorer.state == "accepting" for scorer in observed.scorers)
    version = champion.version if champion and not anybody else wanted(states, observed)
    living = _living(version, observed)
    return _advance(living[0], observed) if living else _bring_up(version, champion, anybody, observed)


def _bring_up(version: str | None, champion: ModelState | None, anybody: bool, observed: Observation) -> Action | None:
    if version is None and anybody:
        return None
    is_champion = champion is not None and champion.version == version
    if version is not None and not is_champion and observed.failures.get(version, 0) >= MOST_STARTS:
        return Reject(version, f"its scorer failed {MOST_STARTS} times in a row to come up; the log says why")
    warm = [s for s in observed.scorers if s.state == "draining" and s.version is not None]
    if champion and is_champion and not champion.pinned and not anybody and warm:
        return Switch(warm[-1])  # the champion died, and the one before it is still here
    if version is not None and version not in observed.bundles:
        if version in observed.proposed:
            return Admit(version)
        return None if is_champion else Reject(version, "neither its bundle nor its files are on this host any more")
    return None if version in observed.resting or observed.no_room else Start(version)


def _advance(scorer: Scorer, observed: Observation) -> Action | None:
    """From a live scorer to the only one that accepts."""
    if scorer.state == "unknown":
        return Wait(f"{scorer.name} is not connected to the socket manager yet")
    if scorer.version is not None and not scorer.golden:
        return Probe(scorer)
    others = [other for other in observed.scorers if other.name != scorer.name]
    anybody_else = any(other.state == "accepting" for other in others)
    if scorer.state == "accepting":
        return Switch(scorer) if anybody_else else None
    draining = sum(other.state == "draining" for other in others)
    return Switch(scorer) if draining < MOST_DRAINING or not anybody_else else None


def _stop(states: ModelStates, observed: Observation) -> Action | None:
    keep = _living(wanted(states, observed), observed)[:1]
    idle = (scorer for scorer in observed.scorers if scorer.state == "standby" and scorer not in keep)
    return next((Stop(scorer) for scorer in idle), None)


def _admit(states: ModelStates, observed: Observation) -> Action | None:
    """The newest proposed candidate, when it is newer than all that may serve: older ones have missed their time.

    A rejected version says nothing of others: a damaged candidate may even have a name of the far future.
    """
    admitted = [m.version for m in states.models.values() if m.state not in ("candidate", "rejected")]
    waiting = [v for v in observed.proposed if states.models[v].state == "candidate" and v > max(admitted, default="")]
    return Admit(max(waiting)) if waiting else None


def waits_for_room(states: ModelStates, observed: Observation) -> str | None:
    """Why the wanted version has no scorer, where it could have one and the host has no room; else None."""
    version = wanted(states, observed)
    startable = version is None or version in observed.bundles
    is_there = any(scorer.version == version for scorer in observed.scorers)
    nobody_needed = version is None and bool(observed.scorers)
    return observed.no_room if startable and not is_there and not nobody_needed else None


def _why_waiting(states: ModelStates, observed: Observation) -> str:
    version = wanted(states, observed)
    serves = any(scorer.state == "accepting" and scorer.version == version for scorer in observed.scorers)
    if serves:
        return f"{version or 'no model'} serves"
    if sum(scorer.state == "draining" for scorer in observed.scorers) >= MOST_DRAINING:
        return f"{version} waits: {MOST_DRAINING} scorers drain"
    if room := waits_for_room(states, observed):
        return f"{version or 'a scorer without a model'} waits: {room}"
    return f"{version} is not up; it is tried again"


def _living(version: str | None, observed: Observation) -> list[Scorer]:
    """The scorers of a version, the one that is furthest first."""
    order = ("accepting", "draining", "standby", "unknown")
    return sorted((s for s in observed.scorers if s.version == version), key=lambda s: order.index(s.state))


def _is_newer(model: ModelState, champion: ModelState | None) -> bool:
    return champion is None or model.version > champion.version
