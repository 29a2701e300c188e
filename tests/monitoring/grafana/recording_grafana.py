"""An HTTP server with the part of Grafana's interface that a push uses; it keeps what it gets.

It is no Grafana: it says what Grafana's documentation says that Grafana says. What it gets is for the tests to hold
against the official models.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

TOKEN: Final = "glsa_for_this_test"
Body = dict[str, Any]


@dataclass
class RecordingGrafana:
    """`got`: (method, path, body) of every call that changes something; `things`: what is there, by its path."""

    prefix: str = ""
    health: tuple[int, str] = (200, '{"database": "ok", "version": "12.2.0", "commit": "1"}')
    refuses: dict[str, int] = field(default_factory=dict)
    """Path -> status."""
    got: list[tuple[str, str, Body]] = field(default_factory=list)
    things: dict[str, Body] = field(default_factory=dict)
    headers: list[dict[str, str]] = field(default_factory=list)

    @contextmanager
    def run(self) -> Iterator[str]:
        """Its address."""
        with ThreadingHTTPServer(("127.0.0.1", 0), self._handler()) as server:
            thread = threading.Thread(target=server.serve_forever)
            thread.start()
            yield f"http://127.0.0.1:{server.server_port}{self.prefix}"
            server.shutdown()
            thread.join()

    def answer(self, method: str, path: str, token: str, body: Body) -> tuple[int, str]:
        if path == "/api/health":
            return self.health
        if token != f"Bearer {TOKEN}":
            return 401, '{"message": "Invalid API key"}'
        if path in self.refuses:
            return self.refuses[path], '{"message": "for this test"}'
        if method == "GET":
            return (200, json.dumps(self.things[path])) if path in self.things else (404, '{"message": "not found"}')
        self.got.append((method, path, body))
        return self._changed(method, path, body)

    def _changed(self, method: str, path: str, body: Body) -> tuple[int, str]:
        if path == "/api/dashboards/db":
            uid = body["dashboard"]["uid"]
            version = self.things.get(f"/api/dashboards/uid/{uid}", {}).get("version", 0) + 1
            self.things[f"/api/dashboards/uid/{uid}"] = {"version": version} | body
            return 200, json.dumps({"uid": uid, "version": version, "url": f"/d/{uid}/x", "status": "success"})
        known = {"/api/folders": "/api/folders/{uid}", "/api/datasources": "/api/datasources/uid/{uid}"}
        place = known[path].format(**body) if method == "POST" and path in known else path
        if method == "POST" and place in self.things:
            return 409, '{"message": "it is there already"}'
        self.things[place] = body
        return 200, json.dumps(body)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        grafana = self

        class Handler(BaseHTTPRequestHandler):
            def do_any(self) -> None:
                content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                grafana.headers.append(dict(self.headers))
                path = self.path.removeprefix(grafana.prefix)
                token = self.headers.get("Authorization", "")
                status, text = grafana.answer(self.command, path, token, json.loads(content or b"{}"))
                self.send_response(status)
                self.send_header("Content-Length", str(len(text.encode())))
                self.end_headers()
                self.wfile.write(text.encode())

            do_GET = do_POST = do_PUT = do_any

            def log_message(self, *_: object) -> None:
                pass

        return Handler
