"""The monitor's address: the status page, the same as JSON, and the monitor's own metrics."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from jinja2 import Environment, PackageLoader, StrictUndefined
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from contract.variable_types import Address
from monitoring.page.card_page import CardView
from monitoring.page.view import View

_templates = Environment(loader=PackageLoader("monitoring.page"), autoescape=True, undefined=StrictUndefined)


STALE_S = 60.0
"""A view that is older is not shown as that of now."""
HTML, JSON, TEXT = "text/html; charset=utf-8", "application/json", "text/plain; charset=utf-8"
MODELS = "/models/"
"""Before a version: the page of that model."""
Answer = tuple[int, str, bytes]
"""Status, content type, body."""


class Pages:
    """The answers, rendered once for each view: a request costs no more than its bytes, however busy the monitor is."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._answers: Mapping[str, Answer] = {}
        self._models: Mapping[str, Answer] = {}
        """By path; what a model's page says never changes."""
        self._viewed_s = 0.0

    def show(self, view: View) -> None:
        """From now on, answer with this view."""
        self._answers = {
            "/": (200, HTML, _render("status.html", view)),
            "/view": (200, HTML, _render("view.html", view)),
            "/status.json": (200, JSON, json.dumps(view.as_json(), allow_nan=False).encode()),
        }
        cards = {f"{MODELS}{card.manifest.version}": card for each in view.pipelines for card in each.cards}
        self._models = {path: self._models.get(path) or _model_page(card) for path, card in cards.items()}
        self._viewed_s = view.time_s

    def answer(self, path: str) -> Answer:
        """`/view` is refused once it is stale: the page then says so, above what it shows."""
        if path == "/metrics":
            return 200, CONTENT_TYPE_LATEST, generate_latest()
        if path.startswith(MODELS):
            return self._models.get(path, (404, TEXT, b"no scorecard of such a model: hotpath scorecard VERSION\n"))
        if path not in ("/", "/view", "/status.json"):
            return 404, TEXT, b"here are /, /status.json and /metrics\n"
        if not self._answers:
            return 503, TEXT, b"the monitor has just started and has not looked yet\n"
        if path == "/view" and self._clock() > self._viewed_s + STALE_S:
            return 503, TEXT, b"the monitor's view is old: look with: hotpath logs monitor\n"
        return self._answers[path]


class PageServer(ThreadingHTTPServer):
    """A thread for each connection; on a busy machine more of them wait than the five of the standard library."""

    request_queue_size = 64


def serve_page(address: Address, pages: Pages) -> ThreadingHTTPServer:
    """Listen at this host and port; the caller runs `serve_forever` on a thread of its own."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, kind, body = pages.answer(self.path)
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """The page asks every three seconds: not worth a line each."""

    return PageServer(address, Handler)


def _model_page(card: CardView) -> Answer:
    return 200, HTML, _render("model.html", card)


def _render(template: str, view: View | CardView) -> bytes:
    return _templates.get_template(template).render(view=view).encode(errors="replace")
