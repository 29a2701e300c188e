"""What people and programs order a pipeline's rollout to do, and what they may ask it.

Orders come as records on the on-prem topic `<pipeline>.commands` (any key), or through the rollout's Unix socket, which
needs no broker and also takes questions: `{"do": "promote", "version": "...", "who": "ann", "why": "..."}`.
"""

from __future__ import annotations

from typing import Annotated, TypeAlias, cast

import msgspec

from contract.messages.codec import Message, decode
from contract.messages.model_states import ModelState

Text = Annotated[str, msgspec.Meta(max_length=1000)]


class PromoteCommand(Message, frozen=True, kw_only=True, tag_field="do", tag="promote"):
    """Serve this version and pin it: newer ones wait until somebody unpins it."""

    version: Text
    who: Text
    why: Text = ""


class RollbackCommand(Message, frozen=True, kw_only=True, tag_field="do", tag="rollback"):
    """Serve the version that served before, or this one, and pin it."""

    version: Text | None = None
    who: Text
    why: Text = ""


class UnpinCommand(Message, frozen=True, kw_only=True, tag_field="do", tag="unpin"):
    """Let the newest admitted version serve again."""

    who: Text
    why: Text = ""


class ListModels(Message, frozen=True, kw_only=True, tag_field="do", tag="list"):
    """Ask for every model of this host."""


class ShowModel(Message, frozen=True, kw_only=True, tag_field="do", tag="show"):
    """Ask for one model."""

    version: Text


OperatorCommand: TypeAlias = PromoteCommand | RollbackCommand | UnpinCommand
Request: TypeAlias = OperatorCommand | ListModels | ShowModel


class ListedModel(ModelState, frozen=True, omit_defaults=True, kw_only=True):
    """A model as people are shown it. `wanted`: the rollout brings it to serve, or has done so."""

    wanted: bool


class Reply(Message, frozen=True, kw_only=True):
    """The rollout's answer at its socket: `models` to a list, `model` to everything else; `why` where it refuses."""

    ok: bool
    why: str | None = None
    models: list[ListedModel] | None = None
    model: ListedModel | None = None


def read_command(content: bytes) -> OperatorCommand:
    """An order.

    Raises:
        Unreadable: the bytes are none.
    """
    return decode(content, cast("type[OperatorCommand]", OperatorCommand))


def read_request(content: bytes) -> Request:
    """An order or a question.

    Raises:
        Unreadable: the bytes are neither.
    """
    return decode(content, cast("type[Request]", Request))
