"""What scorers, the socket manager and rollouts say to each other over `sockets/manager.sock`.

    scorer  -> manager   ScorerReport, at first and at each change of state; with it its socket, where it has one
    manager -> scorer    Accept (with the socket), Drain, Stop
    rollout -> manager   AskState, AskSwitch, AskStop
    manager -> rollout   PoolState, Done

A *door* is one listening socket of a pipeline; the one that callers ask over HTTP is `hot`. The tags and fields are
those of the previous version's scorers, which a new manager takes over; `v` and `door` were added.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal, TypeAlias, cast

from msgspec import Meta

from contract.messages.codec import Message, decode

HOT: Final = "hot"
"""The door of a pipeline's hot address."""

State: TypeAlias = Literal["standby", "accepting", "draining"]
STATES: Final[tuple[State, ...]] = ("standby", "accepting", "draining")

Name: TypeAlias = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9_][A-Za-z0-9_.-]*\Z", max_length=200)]
"""Of a scorer, pipeline or door. A scorer's name becomes part of a path."""

Seconds: TypeAlias = Annotated[float, Meta(ge=0, le=1e9)]


class ScorerReport(Message, frozen=True):
    """A scorer's name, the model that it answers with (None: no model), and how it stands with the door."""

    name: Name
    pipeline: Name
    state: State
    model: str | None = None
    door: Name = HOT
    role: Literal["scorer"] = "scorer"


class Accept(Message, frozen=True, tag="accept", tag_field="do"):
    """Accept connections on the socket that comes with this message; a scorer that drains is called back so."""

    door: Name = HOT


class Drain(Message, frozen=True, tag="drain", tag_field="do"):
    """Accept nothing more, answer what is open, and stop: after `deadline_s` at the latest, not before `stay_s`."""

    deadline_s: Seconds
    stay_s: Seconds
    door: Name = HOT


class Stop(Message, frozen=True, tag="leave", tag_field="do"):
    """Stop at once; it serves nobody."""

    door: Name = HOT


Order: TypeAlias = Accept | Drain | Stop


class AskState(Message, frozen=True, tag="state", tag_field="do"):
    """Who is connected? Answered by `PoolState`."""

    pipeline: Name
    door: Name = HOT
    role: Literal["rollout"] = "rollout"


class AskSwitch(Message, frozen=True, tag="switch", tag_field="do"):
    """Let the scorer `to` accept, and then the others drain. Answered by `Done`; safe to ask again."""

    pipeline: Name
    to: Name
    drain_s: Seconds
    stay_s: Seconds
    door: Name = HOT
    role: Literal["rollout"] = "rollout"


class AskStop(Message, frozen=True, tag="leave", tag_field="do"):
    """Tell a scorer that serves nobody to stop. Answered by `Done`."""

    pipeline: Name
    name: Name
    door: Name = HOT
    role: Literal["rollout"] = "rollout"


Question: TypeAlias = AskState | AskSwitch | AskStop


class ConnectedScorer(Message, frozen=True):
    """A connected scorer, as its last report says."""

    name: str
    pipeline: str
    state: State
    model: str | None
    pid: int
    door: str = HOT


class PoolState(Message, frozen=True):
    """Whether the manager holds the socket, and which scorers are connected."""

    ok: bool
    held: bool
    scorers: tuple[ConnectedScorer, ...]


class Done(Message, frozen=True):
    """Whether it was done; else why not."""

    ok: bool
    why: str | None = None


class _Sender(Message, frozen=True):
    role: Literal["scorer", "rollout"]


def decode_to_manager(content: bytes) -> ScorerReport | Question:
    """What a scorer or a rollout says.

    Raises:
        contract.messages.codec.Unreadable: it is none of these messages.
    """
    if decode(content, _Sender).role == "scorer":
        return decode(content, ScorerReport)
    return decode(content, cast("type[Question]", Question))


def decode_order(content: bytes) -> Order:
    """What the manager says to a scorer.

    Raises:
        contract.messages.codec.Unreadable: it is none of these messages.
    """
    return decode(content, cast("type[Order]", Order))
