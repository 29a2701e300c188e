"""Callers' keys: who may ask. A caller sends `Authorization: Bearer KEY`."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from hashlib import sha256
from hmac import compare_digest
from pathlib import Path
from typing import Final

from contract import variables
from contract.environment import Environment
from contract.metrics import PROBLEMS

LOOK_EVERY_S: Final = 1.0

logger = logging.getLogger("scorer.keys")


class KeysError(ValueError):
    """There is no key to admit anyone with; the message says where to put one."""


class Keys:
    """The keys that this process admits now, as digests. `file` is read again every second; None: keys never change."""

    def __init__(self, keys: Iterable[str], file: Path | None = None) -> None:
        self._digests = _digests(keys)
        self._file = file
        self._trouble = ""

    @classmethod
    def read(cls, environment: Environment, file: Path) -> Keys:
        """From the environment, else from the file (one a line).

        Raises:
            KeysError: neither holds a key.
            OSError: the file cannot be read.
        """
        stated = environment.get(variables.KEYS)
        return cls(stated) if stated else cls(_keys_in(file), file)

    def caller(self, authorization: bytes | None) -> bytes | None:
        """The digest of the key in an `Authorization` header, or None where it holds none of ours.

        Every key is compared, each in constant time: how long it takes says nothing about them.
        """
        scheme, _, key = (authorization or b"").partition(b" ")
        offered = sha256(key.strip()).digest()
        found = [digest for digest in self._digests if compare_digest(digest, offered)]
        return found[0] if found and scheme.lower() == b"bearer" else None

    async def follow(self) -> None:
        """Read the file again every second, until cancelled; where the environment gave the keys, only wait."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            if self._file:
                self._look(self._file)

    def _look(self, file: Path) -> None:
        """A file that is missing or holds no key (somebody may be writing it) changes nothing, and is counted."""
        try:
            digests, trouble = _digests(_keys_in(file)), ""
        except (KeysError, OSError) as error:
            digests, trouble = self._digests, str(error)
            PROBLEMS.labels(part="scorer").inc()
        if digests != self._digests:
            logger.info("keys changed file=%s keys=%d", file, len(digests))
        if trouble and trouble != self._trouble:
            logger.warning("keys not read, the known ones stay admitted why=%r", trouble)
        self._digests, self._trouble = digests, trouble


def _keys_in(file: Path) -> list[str]:
    try:
        keys = _stripped(file.read_text(encoding="utf-8").splitlines() if file.exists() else [])
    except UnicodeDecodeError as error:
        raise KeysError(f"{file} is not UTF-8 ({error.reason} at byte {error.start}); write one key a line") from error
    if not keys:
        raise KeysError(f"no key for callers: set {variables.KEYS.name}, or write one a line to {file} (mode 0600)")
    return keys


def _stripped(keys: Iterable[str]) -> list[str]:
    return [key.strip() for key in keys if key.strip()]


def _digests(keys: Iterable[str]) -> list[bytes]:
    return [sha256(key.encode()).digest() for key in keys]
