"""What a key of the pipeline file is when the file does not say it, and how the documentation writes that.

Most defaults are those of the dataclasses in `contract.pipeline`. Those that depend on other keys are computed here,
each beside the words that say how.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, dataclass, fields
from datetime import timedelta
from typing import Any, Generic, TypeVar

from contract.pipeline import Label, Training
from streaming.pipeline_file.durations import format_duration

T = TypeVar("T")

FACTS: tuple[str, ...] = ()
"""`[facts] topics`."""


@dataclass(frozen=True)
class Computed(Generic[T]):
    """A default that depends on other keys: in words, and as a function of them."""

    says: str
    of: Callable[..., T]


def least_max_age(max_wait: timedelta, holdout: timedelta, every: timedelta) -> timedelta:
    """How old a model may be although all is well: its newest question waited and was held out; two retrains passed."""
    return max_wait + holdout + 2 * every


def needed_retention(window: timedelta, holdout: timedelta, max_wait: timedelta) -> timedelta:
    """How far back the oldest question of a window may lie."""
    return window + holdout + max_wait


def _retention(training: Training, label: Label) -> timedelta:
    return 2 * needed_retention(training.window, training.holdout, label.max_wait)


def _raw_retention(training: Training, retention: timedelta) -> timedelta:
    return min(training.window, retention)


def _max_age(training: Training, label: Label) -> timedelta:
    return 2 * least_max_age(label.max_wait, training.holdout, training.every)


def _same(key: tuple[str, ...]) -> tuple[str, ...]:
    return key


RETENTION = Computed("twice window + holdout + max_wait", _retention)
RAW_RETENTION = Computed("`[training] window`", _raw_retention)
MAX_AGE = Computed("twice max_wait + holdout + 2 x every", _max_age)
GROUP = Computed("`[events] key`", _same)
LABEL_KEY = Computed("as `[events] key`", _same)


def stated(section: type, key: str) -> str:
    """The default of a dataclass's field, as a pipeline file would write it.

    Raises:
        LookupError: there is no such field, or it has no default.
    """
    found = next((each for each in fields(section) if each.name == key), None)
    if found is None or (found.default is MISSING and found.default_factory is MISSING):
        raise LookupError(f"{section.__name__}.{key} has no default")
    return written(found.default if found.default_factory is MISSING else found.default_factory())


def written(value: Any) -> str:
    """A value as a pipeline file would write it; `none` where the file would leave it out."""
    if isinstance(value, timedelta):
        return format_duration(value)
    if isinstance(value, tuple):
        return f"[{', '.join(written(each) for each in value)}]"
    if value is None:
        return "none"
    return str(value).lower() if isinstance(value, bool) else str(value)
