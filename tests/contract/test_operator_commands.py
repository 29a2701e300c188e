"""Operator commands: they come back as they were written, and whatever else the bytes are is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.messages.codec import Unreadable, encode
from contract.messages.operator_commands import (
    ListModels,
    OperatorCommand,
    PromoteCommand,
    RollbackCommand,
    ShowModel,
    UnpinCommand,
    read_command,
    read_request,
)

texts = st.text(max_size=1000)
commands: st.SearchStrategy[OperatorCommand] = st.one_of(
    st.builds(PromoteCommand, version=texts, who=texts, why=texts),
    st.builds(RollbackCommand, version=st.none() | texts, who=texts, why=texts),
    st.builds(UnpinCommand, who=texts, why=texts),
)


@given(commands)
def test_a_command_comes_back_as_it_was_written(command: OperatorCommand) -> None:
    assert read_command(encode(command)) == read_request(encode(command)) == command


def test_a_question_is_no_command() -> None:
    for question in (ListModels(), ShowModel(version="v")):
        assert read_request(encode(question)) == question
        with pytest.raises(Unreadable, match="Invalid value"):
            read_command(encode(question))


@given(st.binary(max_size=100))
def test_any_bytes_are_a_command_or_refused(content: bytes) -> None:
    try:
        assert read_command(content).who is not None
    except Unreadable as error:
        assert str(error)  # noqa: PT017
