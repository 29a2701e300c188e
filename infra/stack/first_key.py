"""The first key for callers: made once, readable by its owner alone."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from pathlib import Path


def first_key(env: Mapping[str, str], data: Path) -> str:
    """A key that the scorers admit: from HOTPATH_KEYS, else the first in `DATA/keys`, which is made if it lacks."""
    if given := env.get("HOTPATH_KEYS", "").split(",")[0].strip():
        return given
    path = data / "keys"
    if not path.exists():
        data.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(24) + "\n")
    return path.read_text().split()[0]
