"""What is wrong with a pipeline file: every problem with its place, all of them at once.

PipelineError   the file cannot be used; `.problems` lists why, in the order of the file
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, order=True)
class Problem:
    """One problem. Line and column count characters from 1; `path` is the dotted key, the message a full sentence."""

    line: int
    column: int
    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.line}:{self.column}: {self.message}"


class PipelineError(ValueError):
    """A pipeline file is wrong; `problems` is never empty."""

    def __init__(self, path: Path, problems: Iterable[Problem]) -> None:
        self.path = path
        self.problems = tuple(sorted(set(problems)))
        super().__init__("\n".join(f"{path}:{problem}" for problem in self.problems))


class Problems:
    """Collects problems while a file is read; `positions` gives the place of every key that the file has."""

    def __init__(self, positions: Mapping[str, tuple[int, int]]) -> None:
        self._positions = positions
        self.found: list[Problem] = []

    def add(self, path: str, message: str) -> None:
        """Note a problem at a dotted key, or at the nearest table around it that the file has."""
        line, column = self._place(path)
        self.found.append(Problem(line, column, path, f"{_section(path)}{message}"))

    def _place(self, path: str) -> tuple[int, int]:
        while path:
            if path in self._positions:
                return self._positions[path]
            path = path.rpartition(".")[0]
        return 1, 1


def _section(path: str) -> str:
    head = path.rpartition(".")[0]
    return f"[{head}] " if head else ""


def nearest(word: str, known: Iterable[str]) -> list[str]:
    """The one known word that is near enough to be meant, if there is one."""
    return difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`; did you mean "topic"?`, or nothing when no known word is near."""
    near = nearest(word, known)
    return f'; did you mean "{near[0]}"?' if near else ""
