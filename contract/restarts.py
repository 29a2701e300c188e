"""The restarts of this host's parts, as the supervisor notes them and the monitor and `hotpath status` read them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from contract.process_end import GIVEN_UP

REMEMBERED_S: Final = 600
OFTEN: Final = 3
"""So many restarts in `REMEMBERED_S` are often, as long as the last one is not over for `RECENT_S`."""
RECENT_S: Final = 120
TOLD_S: Final = 300
"""For so long it is told that a part had ended itself, although it runs again."""


class Restart(msgspec.Struct, frozen=True):
    """One restart: of which part, when (seconds since 1970), and what had ended its process: "exited with 70"."""

    part: str
    when_s: float
    why: str


class RestartsError(ValueError):
    """The file does not read."""


def encode_restarts(restarts: Sequence[Restart]) -> bytes:
    """The file's content."""
    return msgspec.json.encode(list(restarts))


def read_restarts(path: Path) -> list[Restart]:
    """Those of the last minutes, the oldest first; none where no supervisor of ours runs.

    Raises:
        RestartsError: the file is damaged.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=list[Restart])
    except FileNotFoundError:
        return []
    except msgspec.DecodeError as error:
        raise RestartsError(f"{path} is damaged: {error}; the next restart of a part replaces it") from error


def trouble_of(part: str, restarts: Sequence[Restart], now_s: float) -> str | None:
    """What is wrong with a part, in one sentence: it was started again often, or had ended itself; None if neither."""
    ours = [each for each in restarts if each.part == part and each.when_s > now_s - REMEMBERED_S]
    if len(ours) >= OFTEN and ours[-1].when_s > now_s - RECENT_S:
        return f"{part} was started again {len(ours)} times in ten minutes; before the last time it {ours[-1].why}"
    told = [each for each in ours if each.when_s > now_s - TOLD_S]
    given_up = [each for each in told if each.why.startswith(f"exited with {GIVEN_UP}")]
    if not given_up:
        return None
    ago_s = now_s - given_up[-1].when_s
    return f"{part} ended itself {ago_s:.0f} s ago, as it could not go on, and was started again: it {given_up[-1].why}"
