"""How the monitor's process stays small."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType


class _WithoutPandas(MetaPathFinder):
    """Says that pandas is not installed: pyarrow and influxdb_client import it only where it is."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname == "pandas":
            raise ModuleNotFoundError("the monitor does without pandas", name=fullname)
        return None


def keep_small() -> None:
    """Leave pandas out, which takes 35 MiB, and give back at once what Arrow frees; to be called before all imports."""
    sys.meta_path.insert(0, _WithoutPandas())
    os.putenv("ARROW_DEFAULT_MEMORY_POOL", "system")  # pyarrow reads it when it is loaded


def give_back() -> None:
    """Return what was freed to the system: the C library would keep what lies between arrays that are still used."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc has it, other libraries do not need it
    if trim is not None:
        trim(0)
