"""What a scorer answers on its own Unix socket, behind the stable admin address: docs, metrics, state.

The hot route answers there, too: golden requests reach a scorer there before it gets the hot address.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from fastapi import FastAPI, Response
from fastapi.responses import HTMLResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from contract import unix_socket
from serving.http.docs_page import docs_page, openapi_paths
from serving.http.hot_route import HotRoute
from serving.http.http_protocol import protocol_factory
from serving.http.request import Application, Receive, Scope, Send
from serving.http.scorer_state import ScorerState

_BACKLOG: Final = 64


@asynccontextmanager
async def listen_on_own_socket(path: Path, hot_route: HotRoute, state: ScorerState) -> AsyncIterator[None]:
    """Serve on `path` while the block lasts; only this user may connect.

    Raises:
        OSError: the path cannot be bound.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    factory = protocol_factory(own_application(hot_route, state))
    listening = unix_socket.listen(path, socket.SOCK_STREAM, _BACKLOG)
    server = await asyncio.get_running_loop().create_unix_server(factory, sock=listening, backlog=_BACKLOG)
    try:
        yield
    finally:
        server.close()
        path.unlink(missing_ok=True)


def own_application(hot_route: HotRoute, state: ScorerState) -> Application:
    """The ASGI application of the Unix socket: the bare hot route in front of FastAPI."""
    fastapi = _fastapi(state)

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        is_hot = scope["path"].startswith((hot_route.prefix, "/health/"))
        await (hot_route(scope, receive, send) if is_hot else fastapi(scope, receive, send))

    return application


def _fastapi(state: ScorerState) -> FastAPI:
    # FastAPI's own /docs loads its script from a CDN, which an on-prem operator may not reach
    app = FastAPI(title=f"hotpath scorer of {state.pipeline}", docs_url=None, redoc_url=None, openapi_url=None)

    @app.get("/docs")
    def docs() -> HTMLResponse:
        """The interface of the hot address, for people."""
        return HTMLResponse(docs_page(state.pipeline))

    @app.get("/openapi.json")
    def openapi() -> dict[str, Any]:
        """The same for programs: what FastAPI knows of itself, and the hot route."""
        document = app.openapi()
        return document | {"paths": document["paths"] | openapi_paths(state.pipeline)}

    @app.get("/metrics")
    def metrics() -> Response:
        """Every metric of this process, in Prometheus' text format."""
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    @app.get("/state")
    async def current_state() -> dict[str, Any]:
        """What this scorer is doing."""
        return state.now()

    return app
