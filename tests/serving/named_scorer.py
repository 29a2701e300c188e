"""A scorer without a model: a real listener and the real HTTP protocol; it answers every request with its name.

python named_scorer.py NAME MODEL
"""

from __future__ import annotations

import asyncio
import logging
import signal
import sys

import uvloop

from contract.layout import Places
from serving.http.http_protocol import protocol_factory
from serving.http.request import Receive, Scope, Send
from serving.listener.listen_addresses import hot_address
from serving.listener.listener_client import ListenerClient


async def serve(name: str, model: str) -> None:
    stop = asyncio.Event()
    places = Places.from_environment()

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        while (await receive()).get("more_body"):
            pass
        body = name.encode()
        headers = [(b"content-length", b"%d" % len(body))]
        if listener.draining:
            headers.append((b"connection", b"close"))
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    factory = protocol_factory(application)
    listener = ListenerClient(places.sockets, name, "p", hot_address(places, "p"), factory, stop.set, model)
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    unix = await loop.create_unix_server(factory, str(places.sockets / f"{name}.sock"))
    listening = loop.create_task(listener.run())
    await stop.wait()
    listening.cancel()
    unix.close()


logging.basicConfig(level="INFO")
uvloop.run(serve(*sys.argv[1:]))
