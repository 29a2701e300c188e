"""How far a table of states was built: noted in the commit that builds, so that both are there or neither."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from streaming.lake.delta_log import last_note


@dataclass(frozen=True)
class BuildWatermark:
    """The versions of the inputs that are in the table, as far as buckets are closed."""

    source: int = -1
    labels: int = -1
    closed_to_s: int = 0
    """Every bucket that ends here or before has been built."""
    pending: tuple[int, ...] = ()
    """Closed buckets that have changed since they were built."""
    reopened_ms: int = 0
    """When closed buckets were last built anew."""

    def note(self) -> str:
        return json.dumps(asdict(self))


def read_build_watermark(url: str, newest: int) -> BuildWatermark:
    """What the last build noted. Without a note (of a new table) everything is built again, which changes nothing."""
    note = last_note(url, newest)
    if note is None:
        return BuildWatermark()
    known = json.loads(note)
    return BuildWatermark(**(known | {"pending": tuple(known["pending"])}))
