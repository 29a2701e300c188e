"""Files where Python reads and writes them without a JVM: HDFS, or a local folder by `file://`."""

from __future__ import annotations

from functools import cache
from typing import Any, cast
from urllib.parse import urlsplit

from fsspec import AbstractFileSystem
from fsspec.implementations.local import LocalFileSystem
from hdfs_native.fsspec import HdfsFileSystem

from streaming.lake.hang_watchdog import expected_back


def file_system(url: str) -> tuple[AbstractFileSystem, str]:
    """The file system of `hdfs://host:port/path` or `file:///path`, and the path in it.

    Raises:
        ValueError: another scheme.
    """
    parts = urlsplit(url)
    if parts.scheme == "hdfs":
        return _hdfs(parts.hostname, parts.port), parts.path
    if parts.scheme == "file":
        return LocalFileSystem(), parts.path
    raise ValueError(f"{url}: not an address of files; use hdfs://host:port/path")


@cache
def _hdfs(host: str | None, port: int | None) -> HdfsFileSystem:
    """One client an address, cached here and not by fsspec.

    fsspec empties its cache in every forked child. The client's threads do not exist there, and its destructor would
    wait for them for ever, so that the child never runs its program.
    """
    files = HdfsFileSystem(host=host, port=port, skip_instance_cache=True)
    raw, opens = cast(Any, files.client.inner), ("read", "create", "list_status")
    files.client.inner = cast(Any, _Expected(raw, f"hdfs://{host}:{port}", opens))
    return files


class _Expected:
    """Wraps a native object (client, open file, listing): the hang watchdog watches each call until it returns."""

    def __init__(self, native: Any, of: str, opens: tuple[str, ...] = ()) -> None:
        self._native, self._of, self._opens = native, of, opens

    def __getattr__(self, name: str) -> Any:
        native = getattr(self._native, name)

        def call(*arguments: Any) -> Any:
            with expected_back(f"{name} of {self._of}"):
                answer = native(*arguments)
            return _Expected(answer, f"{self._of}{arguments[0]}") if name in self._opens else answer

        return call

    def __iter__(self) -> _Expected:
        return self

    def __next__(self) -> Any:
        with expected_back(f"the listing of {self._of}"):
            return next(self._native)


def write_whole(url: str, content: bytes) -> None:
    """Write a file aside and rename it: a reader sees all of it or none."""
    files, path = file_system(url)
    aside = f"{path}.new"
    with files.open(aside, "wb") as out:
        out.write(content)
    files.mv(aside, path, overwrite=True)
