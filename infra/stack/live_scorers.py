"""The scorers of this data folder that live: started by rollouts, children of nobody, and so not among the parts."""

from __future__ import annotations

from contract.data_folder import DataFolder
from infra.supervisor.processes import stop
from serving.rollout.scorer_processes import ScorerProcess, recorded


def live_scorers(folder: DataFolder) -> list[ScorerProcess]:
    """Those recorded that live, by name; asks no broker and needs no address."""
    return [scorer for scorer in recorded(folder) if scorer.lives()]


def stop_live_scorers(folder: DataFolder, patience_s: float = 10, pipeline: str | None = None) -> None:
    """Of one pipeline or of all: SIGTERM, then SIGKILL after the patience; connections that wait are closed."""
    scorers = [scorer for scorer in live_scorers(folder) if pipeline in (None, scorer.pipeline)]
    stop([scorer.process for scorer in scorers], patience_s)
