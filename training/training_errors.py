"""What can go wrong in training, as one tree.

TrainingError
 +-- H2oUnavailable    the cluster does not answer: try again later
 +-- TrainingFailed    this run came to nothing; the message says why
"""

from __future__ import annotations


class TrainingError(Exception):
    """Any failure of a training run that the loop survives."""


class H2oUnavailable(TrainingError):
    """The H2O cluster cannot be reached."""


class TrainingFailed(TrainingError):
    """A run that gave no candidate."""
