"""Follows the lake in a thread of its own: a NameNode that is away holds a reader up for minutes, but not the page."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from contract import metrics
from contract.layout import Places
from contract.manifest import Manifest
from contract.pipeline import Pipeline
from monitoring.collect.manifests import ManifestReader
from monitoring.collect.outcomes import OutcomeReader, Outcomes
from monitoring.collect.provisional import NewestAnswers, ProvisionalReader
from monitoring.judge.model_health import OfLevel, Realised, by_minute, by_model, by_slice

LOOK_EVERY_S = 5.0
OUTCOMES_S = 3 * 3600
PROVISIONAL_S = 3600
log = logging.getLogger("monitor")


@dataclass(frozen=True)
class Found:
    """What the lake said of a pipeline's models, and when (seconds since 1970)."""

    outcomes: Outcomes | None = None
    realised: Sequence[Realised] = ()
    by_model: Mapping[str, Realised | None] = field(default_factory=dict)
    provisional: Mapping[str, Realised | None] = field(default_factory=dict)
    by_slice: Sequence[OfLevel] = ()
    newest_answers: Mapping[str, NewestAnswers] = field(default_factory=dict)
    """By model version, of those that answered last."""
    manifests: Mapping[str, Manifest] = field(default_factory=dict)
    """Of the newest candidates, by version."""
    read_s: float | None = None
    classes: tuple[int, int] = (0, 0)
    """How many positive and negative outcomes there are."""


class LakeFollower:
    """Keeps the last that could be read of every deployed pipeline; `follow` runs in a thread of its own."""

    def __init__(self, places: Places, deployed: Callable[[], list[Pipeline]]) -> None:
        self._places, self._deployed = places, deployed
        self._readers: dict[str, tuple[str, OutcomeReader, ProvisionalReader]] = {}
        self._manifests: dict[str, ManifestReader] = {}
        self._found: dict[str, Found] = {}

    def found(self, pipeline: str) -> Found:
        return self._found.get(pipeline, Found())

    def follow(self) -> None:
        """For ever: what cannot be read is tried again, and until then the last that was read stays."""
        while True:
            for pipeline in self._deployed():
                try:
                    self._found[pipeline.name] = self._read(pipeline, time.time())
                except Exception:
                    metrics.PROBLEMS.labels(part="monitor").inc()
                    log.exception("tables not read, trying again pipeline=%s", pipeline.name)
            time.sleep(LOOK_EVERY_S)

    def _read(self, pipeline: Pipeline, now_s: float) -> Found:
        built, ahead = self._readers_of(pipeline)
        outcomes, old = built.read(now_s - OUTCOMES_S), self.found(pipeline.name)
        provisional = by_model(ahead.read(now_s - PROVISIONAL_S), known=old.provisional)
        reader = self._manifests.setdefault(pipeline.name, ManifestReader(self._places, pipeline.name))
        manifests = reader.newest()
        if outcomes is old.outcomes:
            return replace(old, provisional=provisional, newest_answers=ahead.newest, manifests=manifests, read_s=now_s)
        return Found(
            outcomes,
            by_minute(outcomes, known=old.realised),
            by_model(outcomes, known=old.by_model),
            provisional,
            by_slice(outcomes),
            ahead.newest,
            manifests,
            now_s,
            outcomes.classes(),
        )

    def _readers_of(self, pipeline: Pipeline) -> tuple[OutcomeReader, ProvisionalReader]:
        known = self._readers.get(pipeline.name)
        if known is None or known[0] != pipeline.file_hash:
            readers = OutcomeReader(self._places, pipeline), ProvisionalReader(self._places, pipeline)
            self._readers[pipeline.name] = known = (pipeline.file_hash, *readers)
        return known[1:]
