"""Where a host's scorers and its socket manager listen: the hot address of each pipeline, and the admin address."""

from __future__ import annotations

import os

from contract.layout import Places, PlacesError


def hot_address(places: Places, pipeline: str) -> tuple[str, int]:
    """Host and port at which a pipeline answers.

    From HOTPATH_SCORER_<NAME>; for a pipeline that was deployed after this process had started, from the file
    `<name>.address` beside its deployed pipeline file (one line, host:port).

    Raises:
        PlacesError: neither is there, or it is malformed.
    """
    variable = f"HOTPATH_SCORER_{pipeline.upper()}"
    file = places.pipelines / f"{pipeline}.address"
    text = os.environ.get(variable, "")
    if not text and file.exists():
        text = file.read_text()
    return _address(text.strip(), f"{variable} (or {file})")


def admin_address() -> tuple[str, int]:
    """Host and port of the stable admin address, from HOTPATH_ADMIN.

    Raises:
        PlacesError: it is not set, or malformed.
    """
    return _address(os.environ.get("HOTPATH_ADMIN", ""), "HOTPATH_ADMIN")


def _address(text: str, place: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise PlacesError(f"{place} is {text!r}; set it to host:port, for example 127.0.0.1:8080")
    return host, int(port)
