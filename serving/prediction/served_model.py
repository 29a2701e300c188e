"""The model that a scorer serves: an open bundle, and what its manifest says about it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from contract.manifest import BadManifest, manifest_from
from contract.pipeline import Pipeline
from contract.timestamps import rfc3339_of_us
from serving._native import Bundle


class ServedModelError(ValueError):
    """The bundle cannot serve this pipeline; the message names the file."""


class ServedModel:
    """An open bundle, which never changes. Ages are seconds, against a moment in microseconds."""

    def __init__(self, path: Path, pipeline: Pipeline) -> None:
        """Open the bundle.

        Raises:
            ServedModelError: it is broken, or another pipeline's.
        """
        try:
            self.bundle = Bundle(str(path))
        except (OSError, ValueError) as error:
            raise ServedModelError(f"{path}: {error}; admit the candidate again") from error
        try:
            self.manifest = manifest_from(self.bundle.manifest)
        except BadManifest as error:
            raise ServedModelError(f"{path}: {error}; admit the candidate again") from error
        if self.manifest.pipeline != pipeline.name:
            raise ServedModelError(f"{path} is a model of {self.manifest.pipeline}, not of {pipeline.name}")
        self.version = self.manifest.version
        self.pipeline_hash = self.manifest.pipeline_hash
        self._newest_us = self.manifest.newest_as_of_us
        self._max_age_s = pipeline.serving.max_age.total_seconds()

    def age_s(self, as_of_us: int) -> float:
        """`as_of` minus the newest question in training; negative for a question older than that."""
        return round((as_of_us - self._newest_us) / 1e6, 3)

    def is_expired(self, as_of_us: int) -> bool:
        """Whether the age is above `[serving] max_age`."""
        return self.age_s(as_of_us) > self._max_age_s

    def _tolerances(self) -> list[dict[str, Any]]:
        """What each tolerance of the scorecard decides, and for how much of the traffic."""
        card = self.manifest.scorecard
        told = ("name", "at_least", "at_most", "valid_until", "when_expired")
        return [
            {**{name: getattr(each, name) for name in told}, "coverage": each.coverage.share}
            for each in (card.tolerances if card else ())
        ]

    def description(self, now_us: int) -> dict[str, Any]:
        """What `/v1/pipelines/{name}/model` answers."""
        kept = ("algorithm", "created", "window", "holdout", "newest_as_of", "rows", "metrics", "features")
        return {
            "pipeline": self.manifest.pipeline,
            "pipeline_hash": self.pipeline_hash,
            "model": self.version,
            "model_age_s": self.age_s(now_us),
            "expired": self.is_expired(now_us),
            "threshold": self.bundle.threshold,
            "default_tolerance": self.bundle.default_tolerance,
            "tolerances": self._tolerances(),
            "now": rfc3339_of_us(now_us),
            **{name: self.bundle.manifest[name] for name in kept},
        }
