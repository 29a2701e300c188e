"""HTTP/1.1 on a connection: uvicorn's httptools protocol in front of an ASGI application, without uvicorn's server.

The listening socket is lent and comes and goes, so whoever holds it makes the asyncio server; an ordinary uvicorn
shutdown would also close idle connections at once, which is the race that draining avoids.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from serving.http.request import Application
from serving.prediction.problems import MEDIA_TYPE, Problem

KEEP_ALIVE_S: Final = 60
"""How long an idle connection stays open: less than the default drain deadline of 75 s."""


class HttpProtocol(HttpToolsProtocol):
    """As uvicorn's, but what is not HTTP gets a problem document too."""

    def send_400_response(self, msg: str) -> None:
        body = Problem(400, "the request is not HTTP/1.1").body()
        head = b"HTTP/1.1 400 Bad Request\r\ncontent-type: %b\r\ncontent-length: %d\r\nconnection: close\r\n\r\n"
        self.transport.write(head % (MEDIA_TYPE, len(body)) + body)
        self.transport.close()


def protocol_factory(application: Application) -> Callable[[], asyncio.Protocol]:
    """What makes the protocol of each new connection; to be called in the running event loop."""
    config = Config(
        application,
        http=HttpProtocol,
        ws="none",
        interface="asgi3",
        lifespan="off",
        log_config=None,
        access_log=False,
        timeout_keep_alive=KEEP_ALIVE_S,
    )
    config.load()
    state = ServerState()
    return lambda: HttpProtocol(config=config, server_state=state, app_state={})
