"""The supervisor's control socket: one JSON request a connection, answered by JSON lines, the last with `code`.

{"do": "status"}                     -> {"parts": [...]}        {"code": 0}
{"do": "down"}                       -> {"say": "..."}...       {"code": 0}
{"do": "deploy", "files": [PATH...], "adopt": BOOL} -> {"say": "..."}...  {"code": 0 | 1}
{"do": "restart", "part": NAME}      -> {"code": 0}
"""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

from contract.unix_socket import unix_path

Message = dict[str, Any]
Answer = Callable[[Message], AsyncIterator[Message]]


class NotRunning(Exception):
    """No supervisor answers at this data folder."""


async def serve(path: Path, answer: Answer) -> asyncio.Server:
    """Listen at `path` (mode 0600); `answer` is called for every request."""

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async for message in answer(json.loads(await reader.readline())):
                writer.write(json.dumps(message).encode() + b"\n")
                await writer.drain()
        except (ConnectionError, json.JSONDecodeError):
            pass  # the caller has gone, or was none of ours
        finally:
            writer.close()

    path.unlink(missing_ok=True)
    server = await asyncio.start_unix_server(converse, unix_path(path))
    path.chmod(0o600)
    return server


def ask(path: Path, request: Message) -> Iterator[Message]:
    """The supervisor's answers, as they come.

    Raises:
        NotRunning: nobody listens, or it went away before it had answered.
    """
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            connection.connect(unix_path(path))
        except OSError as error:
            raise NotRunning(f"no stack runs at {path.parent.parent}; `hotpath up` starts it") from error
        connection.sendall(json.dumps(request).encode() + b"\n")
        for line in connection.makefile():
            message = json.loads(line)
            yield message
            if "code" in message:
                return
    raise NotRunning(f"the supervisor at {path} went away")


def is_running(path: Path) -> bool:
    try:
        return any("code" in message for message in ask(path, {"do": "status"}))
    except NotRunning:
        return False
