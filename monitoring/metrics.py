"""Every metric of hotpath, declared once: name, type, unit, meaning, labels. Imports nothing of ours.

A process uses the objects below and calls `serve` once. Names follow Prometheus: `hotpath_<stage>_<what>_<unit>`.
"""

from __future__ import annotations

import os

from prometheus_client import Counter, Gauge, Histogram, start_http_server

# every process
PROBLEMS = Counter("hotpath_problems", "Errors that a process's outermost loop caught and logged.", ["part"])
"""A process counts here what it could not do, once per turn of its loop."""


def serve(part: str) -> None:
    """Serve `/metrics` of this process on loopback at HOTPATH_METRICS_PORT; without the variable, do nothing."""
    port = int(os.environ.get("HOTPATH_METRICS_PORT", "0"))
    if port:
        start_http_server(port, addr="127.0.0.1")
    PROBLEMS.labels(part=part).inc(0)


__all__ = ["PROBLEMS", "Counter", "Gauge", "Histogram", "serve"]
