"""The story of one prediction: options, native call, verdict, log."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from contract.pipeline import Pipeline
from contract.timestamps import clock_us
from serving.http.request import Request
from serving.http.traceparent import valid_traceparent
from serving.prediction.answer import Answer
from serving.prediction.prediction_id import PredictionIds
from serving.prediction.problems import Problem
from serving.prediction.question import read_options
from serving.prediction.served_model import ServedModel
from serving.prediction.verdict import judge, refusal
from serving.prediction_log.prediction_record import prediction_record
from serving.prediction_log.producer import PredictionLog


class Predictor:
    """Answers questions with one model. `log` is None where `[serving] log_predictions` is false."""

    def __init__(
        self,
        pipeline: Pipeline,
        model: ServedModel,
        log: PredictionLog | None,
        scorer: str,
        clock_us: Callable[[], int] = clock_us,
    ) -> None:
        self.model = model
        self._pipeline = pipeline
        self._tolerances = tuple(dict.fromkeys((*pipeline.scorecard.names, *model.bundle.tolerances)))
        """Also those that came after the model: asked for one of them, it abstains."""
        self._tolerance_us = round(pipeline.clock.tolerance.total_seconds() * 1e6)
        self._log = log
        self._scorer = scorer
        self._clock_us = clock_us
        self._ids = PredictionIds()

    def predict(self, body: bytes, request: Request) -> Answer | Problem:
        """The answer to the question in `body`, logged unless the request is golden; or what is wrong with it.

        A golden request's record is made all the same: a scorer that cannot make it must not get the hot address.
        """
        now_us = self._clock_us()
        options, faults = read_options(request.query, self._tolerances)
        scored = self.model.bundle.score(body, options.as_of_us, now_us, options.tolerance)
        problem = refusal(scored, faults)
        if problem:
            return problem
        verdict = judge(scored, options, self.model, now_us, self._tolerance_us, self._ids.next(now_us))
        if isinstance(verdict, Problem):
            return verdict
        if self._log is not None:
            traceparent = valid_traceparent(request.header(b"traceparent"))
            record = prediction_record(verdict, self._pipeline, now_us, self._scorer, traceparent)
            if not request.is_golden:
                self._log.log(verdict.scored["key"], record)
        return verdict.answer

    def describe(self) -> dict[str, Any]:
        """The model that answers."""
        return self.model.description(self._clock_us())
