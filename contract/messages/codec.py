"""How a message between processes is written and read: a frozen struct, JSON, with a version number.

Every message is a subclass of `Message`. A reader takes messages of its own version and older ones; whoever adds a
field gives it a default, and whoever changes a meaning raises `VERSION`.
"""

from __future__ import annotations

from typing import ClassVar, TypeVar

import msgspec


class Unreadable(ValueError):
    """The bytes are not a message of the expected kind; the text says which field is wrong, and how."""


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """What all messages have. `v` is the version of the sender's format; absent, it is 1."""

    VERSION: ClassVar[int] = 1

    v: int = 1


M = TypeVar("M")


def encode(message: Message) -> bytes:
    """The message as JSON. A tagged message carries its kind in the field that its class names."""
    return msgspec.json.encode(message)


def decode(content: bytes, kind: type[M]) -> M:
    """A message of this kind, which may be a union of tagged ones.

    Raises:
        Unreadable: it is not JSON, lacks a field, has one of another type, or is of a newer version.
    """
    try:
        message = msgspec.json.decode(content, type=kind)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise Unreadable(str(error)) from None
    if isinstance(message, Message) and not 1 <= message.v <= type(message).VERSION:
        raise Unreadable(f"version {message.v}; this process reads versions 1 to {type(message).VERSION}")
    return message
