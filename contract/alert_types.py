"""What an alert is made of: what it measures, and what it does unless a pipeline file says otherwise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal, TypeAlias

from contract.pipeline import Pipeline

Side: TypeAlias = Literal["above", "below"]


@dataclass(frozen=True)
class Measure:
    """Something that alerts are about: a number that the monitor reads each time it looks.

    `each` says what there is one reading for (a host, a topic); empty where there is one of the whole. `counts` says
    what `minimum` counts; empty where the number rests on no count. `limit_word` is how sentences call its threshold.
    """

    name: str
    unit: str
    meaning: str
    each: str = ""
    counts: str = ""
    of_stack: bool = False
    """It belongs to the whole stack and to no pipeline."""
    is_realised: bool = False
    """A figure of the answers against their outcomes, with an interval, which there is for slices too."""
    limit_word: str = ""


@dataclass(frozen=True)
class FromPipeline:
    """A threshold that other keys of the pipeline file decide: in words, and as a function; None: there is none."""

    says: str
    of: Callable[[Pipeline], float | None]


@dataclass(frozen=True)
class AlertDefault:
    """One alert that is there without being asked for. `above` or `below` its threshold is not well."""

    name: str
    measure: Measure
    side: Side
    threshold: float | FromPipeline
    meaning: str
    remedy: str
    command: str
    """Looks closer; `{pipeline}` and `{item}` stand for what it is about."""
    stage: str = ""
    """The stage of the flow that it is shown at; empty: none."""
    lasts: timedelta = timedelta(0)
    minimum: int = 0
    severity: str = "warning"
    no_data: str = "keep"
    is_against_model: bool = False
    """While it fires, the answers are not to be trusted."""
    is_note: bool = False
    """It is told, and `status` is well all the same."""
