"""The supervisor's control socket: one JSON request a connection, answered by JSON lines, the last with `code`.

{"do": "status"}                     -> {"parts": [...], "vanished": [NAME...], "unwritten": [SENTENCE...], "code": 0}
{"do": "down"}                       -> {"say": "..."}...       {"code": 0}
{"do": "deploy", "files": [PATH...], "adopt": BOOL} -> {"say": "..."}...  {"code": 0 | 1}
{"do": "restart", "part": NAME}      -> {"code": 0}
{"do": "remove", "pipeline": NAME}   -> {"say": "..."}...       {"code": 0 | 1}
"""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any, Final

from contract import unix_socket

Message = dict[str, Any]
Answer = Callable[[Message], AsyncIterator[Message]]

_BACKLOG: Final = 64

log = logging.getLogger("control_socket")


class NotRunning(Exception):
    """No supervisor answers at this data folder."""


async def serve(path: Path, answer: Answer) -> asyncio.Server:
    """Listen at `path` (mode 0600); `answer` is called for every request."""

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if unix_socket.is_own_user(writer.get_extra_info("socket")):
                async for message in _answers(answer, await reader.readline()):
                    writer.write(json.dumps(message).encode() + b"\n")
                    await writer.drain()
        except (ConnectionError, ValueError):
            pass  # the caller has gone, or sends a line without end
        finally:
            writer.close()

    return await asyncio.start_unix_server(converse, sock=unix_socket.listen(path, socket.SOCK_STREAM, _BACKLOG))


async def _answers(answer: Answer, line: bytes) -> AsyncIterator[Message]:
    try:
        request = json.loads(line)
        if not isinstance(request, dict) or not isinstance(request.get("do"), str):
            raise ValueError("it is no JSON object with `do`")
    except (ValueError, RecursionError) as error:
        log.warning("request refused why=%r", str(error))
        yield {"say": f"the request cannot be read: {error}", "code": 1}
        return
    try:
        async for message in answer(request):
            yield message
    except OSError as error:  # a disk that is full among others
        log.exception("request failed do=%s", request["do"])
        yield {"say": f"it failed: {error}; once that is mended ask again", "code": 1}


def ask(path: Path, request: Message) -> Iterator[Message]:
    """The supervisor's answers, as they come.

    Raises:
        NotRunning: nobody listens, or it went away before it had answered.
    """
    try:
        connection = unix_socket.connect(path, socket.SOCK_STREAM)
    except OSError as error:
        raise NotRunning(f"no stack runs at {path.parent.parent}; `hotpath up` starts it") from error
    with connection:
        connection.sendall(json.dumps(request).encode() + b"\n")
        for line in connection.makefile():
            message = json.loads(line)
            yield message
            if "code" in message:
                return
    raise NotRunning(f"the supervisor at {path} went away")


def tell(path: Path, request: Message, say: Callable[[str], None]) -> int:
    """Say what the running stack answers, and on stderr why it failed; its code.

    Raises:
        NotRunning: as `ask`.
    """
    code = 1
    for message in ask(path, request):
        code = message.get("code", code)
        if "say" not in message:
            continue
        if message.get("code"):
            print(f"hotpath: {message['say']}", file=sys.stderr)
        else:
            say(message["say"])
    return code


def is_running(path: Path) -> bool:
    try:
        return any("code" in message for message in ask(path, {"do": "status"}))
    except NotRunning:
        return False
