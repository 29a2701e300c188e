"""The example's modules are scripts beside their pipeline file: found by its folder."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "examples/flights"))
