"""The one reader of the environment. Every variable is declared in `contract.variables`; nothing else reads HOTPATH_*.

A variable may be given as `NAME`, or as `NAME_FILE`: the path of a file that holds the value (a trailing newline does
not count), which is how containers hand over secrets. An empty value counts as not given.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

T = TypeVar("T")

PREFIX = "HOTPATH_"
FILE_SUFFIX = "_FILE"


class VariableError(ValueError):
    """A variable is missing or malformed; the message names it and the remedy."""


@dataclass(frozen=True)
class Variable(Generic[T]):
    """One variable of the environment.

    `read` makes a value of the text; it raises ValueError with the rule that the text breaks.
    """

    name: str
    read: Callable[[str], T]
    default: T
    meaning: str
    example: str
    users: str
    """Who reads it, for the documentation."""
    default_in_words: str = ""
    """For the documentation, where the default is not plain from its value."""
    secret: bool = False
    """Its value is in no message."""

    @property
    def file_name(self) -> str:
        return self.name + FILE_SUFFIX

    def with_value(self, value: str) -> str:
        """`NAME=value`, as messages show it."""
        return f"{self.name}={value}"


@dataclass(frozen=True)
class Family(Generic[T]):
    """Variables that differ by a part of their name, such as one for each pipeline."""

    name: str
    """With the part that differs in angle brackets."""
    member: Callable[[str], Variable[T]]

    def of(self, part: str) -> Variable[T]:
        return self.member(self.name.replace(self._placeholder, part.upper()))

    def has(self, name: str) -> bool:
        before, after = self.name.split(self._placeholder)
        return name.startswith(before) and name.endswith(after) and len(name) > len(before) + len(after)

    @property
    def _placeholder(self) -> str:
        return self.name[self.name.index("<") : self.name.index(">") + 1]


class Environment:
    """The variables of one process, each read by its declaration."""

    def __init__(self, env: Mapping[str, str] | None = None) -> None:
        self._env = os.environ if env is None else env

    def get(self, variable: Variable[T]) -> T:
        """The value, or the declared default.

        Raises:
            VariableError: what is given does not read.
        """
        text, source = self._given(variable)
        if not text:
            return variable.default
        try:
            return variable.read(text)
        except ValueError as error:
            stated = source if variable.secret else f"{source}={text}"
            example = variable.with_value(variable.example)
            raise VariableError(f"{stated}: {error}, for example {example}") from None

    def required(self, variable: Variable[T | None]) -> T:
        """The value.

        Raises:
            VariableError: it is not given, or does not read.
        """
        value = self.get(variable)
        if value is None:
            example = variable.with_value(variable.example)
            raise VariableError(
                f"{variable.name} is not set; set it in the environment or in .env, for example {example}"
            )
        return value

    def all(self) -> Mapping[str, str]:
        """Every variable as it is, to hand on: to a child, or to an `Environment` that is read later."""
        return dict(self._env)

    def is_given(self, variable: Variable[T]) -> bool:
        """Whether the environment says it, by the variable or by its file."""
        return bool(self._given(variable)[0])

    def _given(self, variable: Variable[T]) -> tuple[str, str]:
        """The text as given, empty where it is not, and the name of the variable that says it."""
        text, file = self._env.get(variable.name, ""), self._env.get(variable.file_name, "")
        if text and file:
            raise VariableError(f"{variable.name} and {variable.file_name} are both set; unset one of them")
        return (_content(variable.file_name, file), variable.file_name) if file else (text, variable.name)


def _content(name: str, file: str) -> str:
    try:
        value = Path(file).read_text(encoding="utf-8").removesuffix("\n").removesuffix("\r")
        if "\0" not in value:
            return value
        reason = "it holds a NUL character"
    except OSError as error:
        reason = error.strerror or str(error)
    except UnicodeDecodeError:
        reason = "it is not UTF-8"
    raise VariableError(f"{name}={file}: the file cannot be read ({reason}); name a file that holds the value")
