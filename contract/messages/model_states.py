"""The state of one model version: the record on `<pipeline>.models`, and what `models.json` keeps of each version."""

from __future__ import annotations

from typing import Literal

from contract.messages.codec import Message

State = Literal["candidate", "rejected", "admitted", "shadow", "champion", "retired"]
"""The same as `contract.records.MODEL_STATES`."""


class ModelState(Message, frozen=True, omit_defaults=True):
    """The last state of one version; the Kafka key is the version. `contract.records.MODEL_STATE` describes its JSON.

    The rollout alone writes it. The format's number `v` is left out while it is 1.
    """

    version: str
    state: State
    pinned: bool
    """By hand: this version serves until somebody unpins it."""
    who: str
    """`rollout`, or a person's login name."""
    when: str
    """RFC 3339, UTC, milliseconds."""
    why: str
    auc: float | None
    """On the holdout, for lists."""
