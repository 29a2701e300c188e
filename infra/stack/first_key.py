"""The first key for callers: made once, readable by its owner alone."""

from __future__ import annotations

import secrets
from pathlib import Path

from contract import variables
from contract.environment import Environment
from contract.files import write_durably
from infra.stack.preflight import Unfit


def first_key(environment: Environment, file: Path) -> str:
    """A key that the scorers admit: from the environment, else the first in the file, which is made if it lacks.

    Raises:
        Unfit: the file holds none.
    """
    if given := environment.get(variables.KEYS):
        return given[0]
    if not file.exists():
        write_durably(file, f"{secrets.token_urlsafe(24)}\n".encode(), mode=0o600)
    keys = file.read_text(errors="replace").split()
    if not keys:
        raise Unfit(f"{file} holds no key: write one a line, or remove the file, and one is made")
    return keys[0]
