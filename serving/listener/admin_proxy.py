"""The stable admin address: which scorers are connected, and a way to each one's own Unix socket.

    GET /                         where things are
    GET /scorers                  every scorer: name, pipeline, state, model, pid
    ANY /scorers/{name}/...       forwarded to that scorer (/metrics, /docs, /health/ready, ...)
    ANY /pipelines/{name}/...     forwarded to the pipeline's current scorer
    GET /metrics                  the socket manager's own

A scorer's own pages find themselves when its application has the root path `/scorers/{name}`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import httpx
from fastapi import FastAPI, HTTPException, Request, Response
from msgspec import to_builtins
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from contract.messages.listener import HOT
from serving.golden_header import GOLDEN_HEADER
from serving.listener.manager_socket import Pools

_HOP_BY_HOP: Final = {
    "connection",
    "keep-alive",
    "transfer-encoding",
    "te",
    "trailer",
    "upgrade",
    "content-length",
    "host",
}
_FOR_THE_ROLLOUT_ALONE: Final = GOLDEN_HEADER
"""At a scorer's own socket a golden request needs no key, so this address does not pass the header on."""
_METHODS: Final = ["GET", "POST", "PUT", "DELETE", "HEAD"]
_TIMEOUT_S: Final = 30.0


def admin_app(sockets_folder: Path, pools: Pools) -> FastAPI:
    """The application; `pools` is looked at for each request."""
    app = FastAPI(title="hotpath: scorers of this host", docs_url=None, redoc_url=None, openapi_url=None)

    @app.get("/")
    async def index() -> dict[str, Any]:
        pages = ("docs", "openapi.json", "metrics", "state")
        own = {name: [f"/pipelines/{name}/{page}" for page in pages] for name, _ in pools}
        return {"scorers": "/scorers", "metrics": "/metrics", "pipelines": own}

    @app.get("/scorers")
    async def scorers() -> list[dict[str, Any]]:
        return [to_builtins(scorer) for pool in pools.values() for scorer in pool.describe()]

    @app.get("/metrics")
    async def own_metrics() -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    @app.api_route("/scorers/{name}/{path:path}", methods=_METHODS)
    async def to_scorer(name: str, path: str, request: Request) -> Response:
        if not any(name in pool.scorers for pool in pools.values()):
            raise HTTPException(404, f"no scorer {name} is connected; GET /scorers lists them")
        return await forward(sockets_folder / f"{name}.sock", path, request)

    @app.api_route("/pipelines/{name}/{path:path}", methods=_METHODS)
    async def to_current(name: str, path: str, request: Request) -> Response:
        pool = pools.get((name, HOT))
        if pool is None:
            raise HTTPException(404, f"no pipeline {name} is deployed on this host")
        current = pool.current()
        if current is None:
            raise HTTPException(503, f"no scorer of {name} accepts now", {"retry-after": "1"})
        return await forward(sockets_folder / f"{current.name}.sock", path, request)

    return app


async def forward(unix_socket: Path, path: str, request: Request) -> Response:
    """The scorer's answer to the same request, at `/path` of its own socket."""
    left_out = _HOP_BY_HOP | {_FOR_THE_ROLLOUT_ALONE}
    headers = [(name, value) for name, value in request.headers.raw if name.decode().lower() not in left_out]
    transport = httpx.AsyncHTTPTransport(uds=str(unix_socket), verify=False)  # else it reads all certificates first
    url = httpx.URL("http://scorer/").copy_with(raw_path=_target(path, request))
    async with httpx.AsyncClient(transport=transport, timeout=_TIMEOUT_S) as client:
        try:
            answer = await client.request(request.method, url, headers=headers, content=await request.body())
        except httpx.TransportError as error:
            raise HTTPException(502, f"the scorer at {unix_socket.name} does not answer: {error}") from error
    kept = {name: value for name, value in answer.headers.items() if name not in _HOP_BY_HOP | {"content-encoding"}}
    return Response(answer.content, answer.status_code, kept)


def _target(path: str, request: Request) -> bytes:
    query = request.url.query
    return f"/{quote(path)}{'?' + query if query else ''}".encode("ascii", "replace")
