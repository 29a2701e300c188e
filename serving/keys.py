"""Callers' keys: who may ask. A caller sends `Authorization: Bearer KEY`."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from hmac import compare_digest
from pathlib import Path


class KeysError(ValueError):
    """There is no key to admit anyone with; the message says where to put one."""


class Keys:
    """The keys that this process admits, held as digests. Read once: a new key is known to the next scorer."""

    def __init__(self, keys: list[str]) -> None:
        self._digests = [sha256(key.encode()).digest() for key in keys]

    @classmethod
    def read(cls, env: Mapping[str, str], data: Path) -> Keys:
        """From HOTPATH_KEYS (comma separated), else from the file `keys` of the data folder (one a line).

        Raises:
            KeysError: neither holds a key.
        """
        file = data / "keys"
        text = env.get("HOTPATH_KEYS", "").replace(",", "\n") or (file.read_text() if file.exists() else "")
        keys = [line.strip() for line in text.splitlines() if line.strip()]
        if not keys:
            raise KeysError(f"no key for callers: set HOTPATH_KEYS, or write one a line to {file} (mode 0600)")
        return cls(keys)

    def caller(self, authorization: bytes | None) -> int | None:
        """The number of the key in an `Authorization` header, or None where it holds none of ours.

        Every key is compared, each in constant time: how long it takes says nothing about them.
        """
        scheme, _, key = (authorization or b"").partition(b" ")
        offered = sha256(key.strip()).digest()
        found = [number for number, digest in enumerate(self._digests) if compare_digest(digest, offered)]
        return found[0] if found and scheme.lower() == b"bearer" else None
