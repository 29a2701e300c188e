"""Moments as the records state them: RFC 3339, UTC, with `Z`."""

from __future__ import annotations

from datetime import UTC, datetime


def rfc3339(moment: datetime, digits: str = "milliseconds") -> str:
    """The text of an aware moment; `digits` as `datetime.isoformat` calls them."""
    return moment.astimezone(UTC).isoformat(timespec=digits).replace("+00:00", "Z")
