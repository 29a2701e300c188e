"""The hot route: a bare ASGI application that answers predict, model and health, and nothing else.

POST /v1/pipelines/{name}/predict    GET /v1/pipelines/{name}/model    GET /health/live    GET /health/ready
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from functools import partial
from typing import Final

from contract.metrics import PROBLEMS
from serving.http.caller_keys import Keys
from serving.http.limits import Limits, Rate
from serving.http.predict import Predictor
from serving.http.reply import Reply, answered, no_model, not_allowed, not_encoded_so, refused, retry_after, too_large
from serving.http.request import BodyTooLarge, CallerLeft, Receive, Request, Scope, Send, discard_body
from serving.http.request_metrics import RequestMetrics
from serving.http.traceparent import valid_traceparent
from serving.prediction.problems import DRAINING, Problem

_DISCARD_BODIES: Final = 8
"""Of a body that is too large, so many times the limit is read and thrown away, so that its sender sees the answer."""

logger = logging.getLogger("scorer")


class HotRoute:
    """Answers at the hot address, and at the scorer's own Unix socket. `predictor` is None while there is no model."""

    def __init__(
        self, pipeline: str, predictor: Predictor | None, keys: Keys, limits: Limits, is_draining: Callable[[], bool]
    ) -> None:
        self.prefix = f"/v1/pipelines/{pipeline}/"
        self._pipeline = pipeline
        self._predictor = predictor
        self._keys = keys
        self._limits = limits
        self._rate = Rate(limits.per_second)
        self._is_draining = is_draining
        self._traffic = RequestMetrics(pipeline)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        try:
            reply = await self._reply(request, receive)
        except CallerLeft:
            return
        except Exception:  # noqa: BLE001
            reply = _failed(request)
        discard = partial(discard_body, receive, _DISCARD_BODIES * self._limits.body_bytes)
        headers = self._common_headers(request)
        await reply.send(send, *headers, before_end=discard if reply.leaves_body else None)

    async def _reply(self, request: Request, receive: Receive) -> Reply:
        if request.path == self.prefix + "predict":
            return await self._counted_predict(request, receive)
        if request.path == self.prefix + "model":
            return self._turned_away(request, "GET") or self._model()
        if request.path == "/health/live":
            return answered({"status": "live"})
        if request.path == "/health/ready":
            return self._ready()
        known = f"{self.prefix}predict, {self.prefix}model, /health/live and /health/ready"
        return refused(Problem(404, f"there is no {request.path}; there are {known}"))

    async def _counted_predict(self, request: Request, receive: Receive) -> Reply:
        started = time.perf_counter()
        reply = self._turned_away(request, "POST") or (not_encoded_so(request.encoding) if request.encoding else None)
        if reply is None:
            try:
                body = await request.body(receive, self._limits.body_bytes)
                started = time.perf_counter()
                reply = self._predict(request, body)
            except BodyTooLarge as error:
                reply = too_large(str(error))
            except CallerLeft:
                raise
            except Exception:  # noqa: BLE001 # here too, so that it is counted among the others
                reply = _failed(request)
        self._traffic.count(reply.status, time.perf_counter() - started, golden=request.is_golden)
        return reply

    def _predict(self, request: Request, body: bytes) -> Reply:
        if self._predictor is None:
            return no_model(self._pipeline)
        result = self._predictor.predict(body, request)
        if isinstance(result, Problem):
            return refused(result)
        self._traffic.count_warnings(result["warnings"], golden=request.is_golden)
        return answered(result)

    def _turned_away(self, request: Request, method: str) -> Reply | None:
        """None for a caller who may go on. A golden request needs no key: the socket's folder admits the rollout."""
        if request.method != method:
            return not_allowed(request.method, method)
        if request.is_golden:
            return None
        caller = self._keys.caller(request.header(b"authorization"))
        if caller is None:
            problem = Problem(401, "send a known key as `Authorization: Bearer KEY`")
            return refused(problem, ((b"www-authenticate", b"Bearer"),))
        wait_s = self._rate.wait_s(caller, time.monotonic())
        if wait_s:
            limit = f"{self._limits.per_second:g} requests a second for each key"
            return refused(Problem(429, f"the limit is {limit}"), retry_after(wait_s))
        return None

    def _model(self) -> Reply:
        return answered(self._predictor.describe()) if self._predictor else no_model(self._pipeline)

    def _ready(self) -> Reply:
        if self._predictor is None:
            return no_model(self._pipeline)
        if self._is_draining():
            return refused(Problem(503, "this scorer drains; another one serves", kind=DRAINING), retry_after(1))
        return answered({"status": "ready"})

    def _common_headers(self, request: Request) -> list[tuple[bytes, bytes]]:
        headers = [(b"connection", b"close")] if self._is_draining() and not request.is_local else []
        traceparent = valid_traceparent(request.header(b"traceparent"))
        return [*headers, (b"traceparent", traceparent.encode())] if traceparent else headers


def _failed(request: Request) -> Reply:
    """To be called while the exception is handled."""
    logger.exception("%s %s failed", request.method, request.path)
    PROBLEMS.labels(part="scorer").inc()
    return refused(Problem(500, "the scorer failed; its log says how"))
