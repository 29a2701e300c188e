"""A message comes back as it was written; whatever else the bytes are, they are refused in words."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.messages.codec import Message, Unreadable, decode, encode


class Level(Message, frozen=True):
    topic: str
    offset: int
    label: str | None = None


@given(st.builds(Level, topic=st.text(), offset=st.integers(-(2**63), 2**63 - 1), label=st.none() | st.text()))
def test_a_message_comes_back_as_it_was_written(level: Level) -> None:
    assert decode(encode(level), Level) == level


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"not json", "malformed"),
        (b"", "truncated"),
        (b"[]", "Expected `object`"),
        (b'{"topic": "a"}', "missing required field `offset`"),
        (b'{"topic": "a", "offset": "1"}', "Expected `int`, got `str` - at `$.offset`"),
        (b'{"topic": "\\ud800", "offset": 1}', ""),
        (b'{"topic": "a", "offset": 1, "v": 2}', "version 2; this process reads versions 1 to 1"),
        (b'{"topic": "a", "offset": 1e400}', ""),
        (b'{"topic": "a", "offset": ' + b"[" * 100_000, ""),
        (b"\xff\xfe{}", ""),
    ],
)
def test_what_is_no_such_message_is_refused_in_words(content: bytes, says: str) -> None:
    with pytest.raises(Unreadable) as refused:
        decode(content, Level)
    assert says in str(refused.value)
    assert str(refused.value)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    try:
        decode(content, Level)
    except Unreadable:
        return
    assert isinstance(json.loads(content), dict)


def test_fields_that_a_newer_sender_has_added_are_ignored() -> None:
    assert decode(b'{"topic": "a", "offset": 1, "added": []}', Level) == Level(topic="a", offset=1)
