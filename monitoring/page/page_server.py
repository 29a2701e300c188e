"""The monitor's address: the status page, the same as JSON, and the monitor's own metrics."""

from __future__ import annotations

import json
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from jinja2 import Environment, PackageLoader, StrictUndefined
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from contract.variable_types import Address
from monitoring.page.view import View

_templates = Environment(loader=PackageLoader("monitoring.page"), autoescape=True, undefined=StrictUndefined)


def render(template: str, view: View) -> str:
    return _templates.get_template(template).render(view=view)


def serve_page(address: Address, current: Callable[[], View]) -> ThreadingHTTPServer:
    """Listen at this host and port; the caller runs `serve_forever` on a thread of its own."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/":
                self._answer(200, "text/html; charset=utf-8", render("status.html", current()).encode())
            elif self.path == "/view":
                self._answer(200, "text/html; charset=utf-8", render("view.html", current()).encode())
            elif self.path == "/status.json":
                self._answer(200, "application/json", json.dumps(current().as_json()).encode())
            elif self.path == "/metrics":
                self._answer(200, CONTENT_TYPE_LATEST, generate_latest())
            else:
                self._answer(404, "text/plain", b"here are /, /status.json and /metrics\n")

        def _answer(self, status: int, kind: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """The page asks every three seconds: not worth a line each."""

    return ThreadingHTTPServer(address, Handler)
