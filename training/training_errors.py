"""What can go wrong in training, as one tree.

TrainingError
 +-- H2oUnavailable    the cluster does not answer: try again later
 +-- NotEnoughRows     the rows that are there do not make a model yet: more will come
 +-- TrainingFailed    this run came to nothing; the message says why
"""

from __future__ import annotations

from typing import ClassVar


class TrainingError(Exception):
    """Any failure of a training run that the loop survives.

    The message says everything. `reason` is a fixed sentence without figures: the label of a metric, and what the
    status says.
    """

    REASON: ClassVar[str] = "the run failed"

    def __init__(self, message: str, reason: str | None = None) -> None:
        super().__init__(message)
        self.reason = reason or self.REASON


class H2oUnavailable(TrainingError):
    """The H2O cluster cannot be reached."""

    REASON = "the H2O cluster does not answer"


class NotEnoughRows(TrainingError):
    """There are no rows to train on or to hold out yet, or all have one label. This is no failure: it passes."""


class TrainingFailed(TrainingError):
    """A run that gave no candidate."""
