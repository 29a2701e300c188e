"""The header that marks the rollout's golden requests. It counts at a scorer's own Unix socket, nowhere else."""

from __future__ import annotations

from typing import Final

GOLDEN_HEADER: Final = "hotpath-golden"
