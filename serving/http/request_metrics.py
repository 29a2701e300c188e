"""What the scorer counts: traffic in one set of metrics, golden requests in another."""

from __future__ import annotations

from contract.metrics import ANSWER_WARNINGS, GOLDEN_REQUESTS, REQUEST_SECONDS, REQUESTS
from serving.prediction.answer import WARNING_CODES, Caution


class RequestMetrics:
    """The metrics of one pipeline, looked up once."""

    def __init__(self, pipeline: str) -> None:
        self._pipeline = pipeline
        self._seconds = REQUEST_SECONDS.labels(pipeline=pipeline)
        self._warnings = {code: ANSWER_WARNINGS.labels(pipeline=pipeline, code=code) for code in WARNING_CODES}

    def count(self, status: int, seconds: float, *, golden: bool) -> None:
        """A request to predict was answered."""
        if golden:
            GOLDEN_REQUESTS.labels(pipeline=self._pipeline, status=str(status)).inc()
            return
        REQUESTS.labels(pipeline=self._pipeline, status=str(status)).inc()
        self._seconds.observe(seconds)

    def count_warnings(self, warnings: list[Caution], *, golden: bool) -> None:
        for warning in () if golden else warnings:
            self._warnings[warning["code"]].inc()
