"""Requests for a test message: `hotpath alerts test` leaves a file, and the monitor sends the message as any other."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import msgspec

from contract import metrics
from contract.files import write_durably

log = logging.getLogger("monitor")


class TrialRequest(msgspec.Struct, frozen=True):
    """Who wants a message of which alert; `id` will be that of the message."""

    id: str
    alert: str
    pipeline: str
    who: str


def ask_for_trial(folder: Path, request: TrialRequest) -> None:
    """Leave the request.

    Raises:
        OSError: the disk refuses it.
    """
    write_durably(folder / f"{request.id}.json", msgspec.json.encode(request))


def take_requests(folder: Path) -> Iterator[TrialRequest]:
    """Those that wait; each is removed, whether it reads or not."""
    for file in sorted(folder.glob("*.json")):
        try:
            content = file.read_bytes()
            file.unlink()
            yield msgspec.json.decode(content, type=TrialRequest)
        except (OSError, msgspec.MsgspecError, ValueError) as error:
            metrics.PROBLEMS.labels(part="monitor").inc()
            log.error("request for a test message passed over file=%s error=%r", file, str(error))
