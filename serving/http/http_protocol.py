"""HTTP/1.1 on a connection: uvicorn's httptools protocol in front of an ASGI application, without uvicorn's server.

A scorer gets its listening socket from the socket manager and may lose it again, so the listener client makes the
asyncio server. uvicorn's own shutdown would close idle connections at once, and a caller that has just sent a request
on one of them would see it fail; a scorer drains instead.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

import httptools
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from serving.http.reply import refused
from serving.http.request import Application, Receive, Scope, Send
from serving.prediction.problems import MEDIA_TYPE, Problem

KEEP_ALIVE_S: Final = 60
"""How long an idle connection stays open: less than the default drain deadline of 75 s."""

_OFFER: Final = frozenset({b"upgrade", b"http2-settings"})
"""Headers, and names in `Connection`, that offer another protocol."""


class HttpProtocol(HttpToolsProtocol):
    """As uvicorn's, with three differences.

    - An offer to upgrade the connection, for example to h2c, is ignored and the request answered, body included.
    - An HTTP/1.1 request must have exactly one `Host`, as RFC 9112 has it.
    - What is not HTTP/1.1 gets a problem document, too.
    """

    def data_received(self, data: bytes) -> None:
        self._unset_keepalive_if_required()
        try:
            self._feed(data)
        except httptools.HttpParserError:
            self.send_400_response("")

    def on_headers_complete(self) -> None:
        if self.parser.should_upgrade():
            return  # `_feed` gives the parser the same head again, without the offer
        self.app = self.config.loaded_app if self._has_host() else _refuse_host
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        if not self.parser.should_upgrade():
            super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        body = Problem(400, "the request is not HTTP/1.1").body()
        head = b"HTTP/1.1 400 Bad Request\r\ncontent-type: %b\r\ncontent-length: %d\r\nconnection: close\r\n\r\n"
        self.transport.write(head % (MEDIA_TYPE, len(body)) + body)
        self.transport.close()

    def _feed(self, data: bytes) -> None:
        """Parse; after a head that offers an upgrade the parser stops, and a new one goes on where it stopped."""
        while True:
            try:
                self.parser.feed_data(data)
                return
            except httptools.HttpParserUpgrade as stopped:
                head = self._head_without_offer()
                self.parser = httptools.HttpRequestParser(self)
                self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn does
                self.parser.feed_data(head)
                data = data[stopped.args[0] :]

    def _head_without_offer(self) -> bytes:
        method = self.parser.get_method()
        if method == b"CONNECT":  # the parser takes the method itself for an upgrade
            raise httptools.HttpParserError("CONNECT is not answered here")
        lines = [b"%b %b HTTP/%b" % (method, self.url, self.parser.get_http_version().encode())]
        lines += [b"%b: %b" % (name, _without_offer(name, value)) for name, value in self.headers if name not in _OFFER]
        return b"\r\n".join([*lines, b"", b""])

    def _has_host(self) -> bool:
        hosts = sum(name == b"host" for name, _ in self.headers)
        return hosts == 1 or self.parser.get_http_version() != "1.1"


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


def _without_offer(name: bytes, value: bytes) -> bytes:
    """The header's value; of `Connection` the names that offer nothing, such as `close`."""
    if name != b"connection":
        return value
    return b", ".join(token for token in (t.strip() for t in value.split(b",")) if token.lower() not in _OFFER)


async def _refuse_host(scope: Scope, receive: Receive, send: Send) -> None:
    problem = Problem(400, "an HTTP/1.1 request needs exactly one Host header")
    await refused(problem, ((b"connection", b"close"),)).send(send)
