"""What the judgement of a pipeline's model rests on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from monitoring.judge.model_health import Realised


@dataclass(frozen=True)
class Pin:
    """Who holds a version by hand, and since when (Unix time)."""

    model: str
    who: str
    since_s: float

    @property
    def text(self) -> str:
        since = datetime.fromtimestamp(self.since_s, UTC)
        return f"{self.model} is pinned by {self.who} since {since:%Y-%m-%d %H:%M:%S} UTC: newer models wait"


@dataclass(frozen=True)
class TrustInputs:
    """What the judgement rests on; None is not known (yet)."""

    model: str | None
    model_age_s: float | None
    realised: Realised | None
    clock_offsets_s: Mapping[str, float]
    """By producing host: the smallest (append time - event time) of the last minutes."""
    pinned: Pin | None = None


NOTHING_SEEN: Final = TrustInputs(None, None, None, {})
