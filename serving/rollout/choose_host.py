"""Which kind of host the scorers of a pipeline have, as the environment says."""

from __future__ import annotations

from contract import variables
from contract.layout import Places
from serving.rollout.scorer_host import ScorerHost
from serving.rollout.scorer_processes import ScorerProcesses
from serving.rollout.scorer_slots import ScorerSlots


def host_of(places: Places, pipeline: str) -> ScorerHost:
    """Slots where there are some, else processes of this host."""
    return (
        ScorerSlots(places, pipeline) if places.environment.get(variables.SLOTS) else ScorerProcesses(places, pipeline)
    )
