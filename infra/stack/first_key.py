"""The first key for callers: made once, readable by its owner alone."""

from __future__ import annotations

import secrets
from pathlib import Path

from contract import variables
from contract.environment import Environment
from contract.files import write_durably


def first_key(environment: Environment, file: Path) -> str:
    """A key that the scorers admit: from the environment, else the first in the file, which is made if it lacks."""
    if given := environment.get(variables.KEYS):
        return given[0]
    if not file.exists():
        write_durably(file, f"{secrets.token_urlsafe(24)}\n".encode(), mode=0o600)
    return file.read_text().split()[0]
