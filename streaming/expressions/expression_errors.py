"""What is wrong with expressions: all of it at once."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Problem:
    """One problem: whose expression, the 1-based position in its text, what is wrong and what to do."""

    expression: str
    position: int
    message: str

    def __str__(self) -> str:
        return f"{self.expression}, position {self.position}: {self.message}"


class ExpressionError(ValueError):
    """Expressions that hotpath does not accept; `problems` has (expression, position, message) for each reason."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = [(problem.expression, problem.position, problem.message) for problem in problems]


class Refused(Exception):
    """Ends the reading of one (sub)expression; caught where problems are collected."""

    def __init__(self, position: int, message: str) -> None:
        super().__init__(message)
        self.position = position
        self.message = message
