"""Small files of JSON in which processes of this host keep what they can do without: a damaged one counts as absent."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TypeVar

import msgspec

T = TypeVar("T")

log = logging.getLogger("state_file")

_damaged: set[Path] = set()
"""Those that were told: each look would tell them again."""


def read_state(path: Path, kind: type[T], meanwhile: str) -> T | None:
    """What the file says; None where there is none, or where it does not read, which is logged once.

    `meanwhile` says, as a sentence, what happens without it.
    """
    try:
        state = msgspec.json.decode(path.read_bytes(), type=kind)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.MsgspecError, ValueError, RecursionError) as error:
        if path not in _damaged:
            why = (error.strerror if isinstance(error, OSError) else None) or error
            log.error("%s is damaged (%s) and is taken for absent: %s", path, why, meanwhile)
        _damaged.add(path)
        return None
    _damaged.discard(path)
    return state
