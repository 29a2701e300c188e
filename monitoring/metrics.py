"""Every metric of hotpath, declared once: name, type, unit, meaning, labels. Imports nothing of ours.

A process uses the objects below and calls `serve` once. Names follow Prometheus: `hotpath_<stage>_<what>_<unit>`.
"""

from __future__ import annotations

import os

from prometheus_client import Counter, Gauge, Histogram, start_http_server

# every process
PROBLEMS = Counter("hotpath_problems", "Errors that a process's outermost loop caught and logged.", ["part"])
"""A process counts here what it could not do, once per turn of its loop."""

# the replay of the example, and the application that it plays
REPLAY_PRODUCED = Counter("hotpath_replay_produced_records", "Records handed to the on-prem broker.", ["topic"])
REPLAY_BEHIND_SECONDS = Gauge("hotpath_replay_behind_seconds", "How late the replay is with its next record.")
APP_ANSWERS = Counter("hotpath_app_answers", "Answers, by HTTP status; failed, or not_asked when busy.", ["status"])
APP_ANSWER_SECONDS = Histogram(
    "hotpath_app_answer_seconds", "From a question to its answer, as the application sees it."
)


def serve(part: str) -> None:
    """Serve `/metrics` of this process on loopback at HOTPATH_METRICS_PORT; without the variable, do nothing."""
    port = int(os.environ.get("HOTPATH_METRICS_PORT", "0"))
    if port:
        start_http_server(port, addr="127.0.0.1")
    PROBLEMS.labels(part=part).inc(0)


__all__ = ["PROBLEMS", "Counter", "Gauge", "Histogram", "serve"]
