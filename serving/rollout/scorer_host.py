"""How the rollout sees the scorers of its pipeline, whatever runs them: processes of this host, or slots.

No process number is in it: the scorers may live in namespaces of their own.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from contract.layout import Places
from contract.messages.listener import ConnectedScorer
from serving.rollout.plan import UnrecordedScorer


@dataclass(frozen=True)
class HostedScorer:
    """One scorer that was started, living or not. `version` None: it has no bundle."""

    name: str
    version: str | None
    golden: bool
    """It has answered the golden requests."""
    lives: bool
    trouble: str | None = None
    """Why it could not start, where the host and not its model is to blame."""


class ScorerHost(Protocol):
    """Starts the scorers of one pipeline, and remembers them beyond a restart of the rollout."""

    def ready(self) -> str | None:
        """Why no scorer can be started now, in words; None when one can."""
        ...

    def start(self, version: str | None, bundle: Path | None) -> bool:
        """Start a scorer; False where the room that `ready` saw has been taken meanwhile.

        Raises:
            OSError: it cannot be started.
        """
        ...

    def list(self) -> Sequence[HostedScorer]:
        """Every scorer that was started and is not forgotten."""
        ...

    def signal(self, name: str, number: int) -> None:
        """Send SIGTERM or SIGKILL; a scorer that has gone meanwhile needs none."""
        ...

    def note_golden(self, name: str) -> None:
        """The scorer has answered the golden requests."""
        ...

    def forget(self, name: str) -> None:
        """Remove what is left of a scorer that has ended."""
        ...

    def unrecorded(self, unknown: Iterable[ConnectedScorer]) -> Sequence[UnrecordedScorer]:
        """Of the connected scorers that `list` does not name, those that run on this host and can be written down."""
        ...

    def adopt(self, scorer: UnrecordedScorer) -> None:
        """Write it down."""
        ...


def new_name(pipeline: str, version: str | None) -> str:
    """A name that no scorer has had."""
    return f"{version or f'{pipeline}-no-model'}-{secrets.token_hex(2)}"


def remove_traces(places: Places, name: str) -> None:
    """What a scorer itself leaves behind: its socket, and its note of why it could not start."""
    (places.sockets / f"{name}.sock").unlink(missing_ok=True)
    places.folder.scorer_trouble(name).unlink(missing_ok=True)


def trouble_of(places: Places, name: str) -> str | None:
    """Why a scorer could not start, as it has noted it: the host is to blame, not its model."""
    try:
        return places.folder.scorer_trouble(name).read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return None
