"""Silences: who wants no messages about an alert, and until when. A file in the data folder, written by the command.

A silenced alert is judged and shown as ever; its messages are left out. What still fires when a silence ends is told
then.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec

from contract.files import write_durably
from contract.state_file import read_state


class Silence(msgspec.Struct, frozen=True):
    """One silence. Without `pipeline` or `item` it is of all of them. Moments in seconds since 1970."""

    alert: str
    who: str
    since_s: float
    until_s: float
    pipeline: str | None = None
    item: str | None = None

    def covers(self, pipeline: str, alert: str, item: str, now_s: float) -> bool:
        is_of = self.alert == alert and self.pipeline in (None, pipeline) and self.item in (None, item)
        return is_of and now_s < self.until_s

    def is_like(self, other: Silence) -> bool:
        """Whether both are of the same."""
        return (self.alert, self.pipeline, self.item) == (other.alert, other.pipeline, other.item)


def read_silences(file: Path, now_s: float) -> list[Silence]:
    """Those that last; none where the file is damaged, which is logged."""
    found = read_state(file, list[Silence], "nothing is silenced")
    return [silence for silence in found or [] if now_s < silence.until_s]


def write_silences(file: Path, silences: Iterable[Silence]) -> None:
    """Replace the file.

    Raises:
        OSError: the disk refuses it.
    """
    write_durably(file, msgspec.json.format(msgspec.json.encode(list(silences)), indent=1))


def silenced_until(silences: Iterable[Silence], pipeline: str, alert: str, item: str, now_s: float) -> Silence | None:
    """The silence that lasts longest of those that cover it."""
    covering = [silence for silence in silences if silence.covers(pipeline, alert, item, now_s)]
    return max(covering, key=lambda silence: silence.until_s, default=None)
