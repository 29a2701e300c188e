"""A sign of life for those who look from outside and know no address to ask: a file that is touched again and again.

It lies in the folder of temporary files, so that nothing of an earlier container is left of it.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

NAME = "alive"


def beat() -> None:
    """I am alive, and well."""
    (Path(tempfile.gettempdir()) / NAME).touch()
