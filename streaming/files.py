"""Files where Python reads and writes them without a JVM: HDFS, or a local folder by `file://`."""

from __future__ import annotations

from functools import cache
from urllib.parse import urlsplit

from fsspec import AbstractFileSystem
from fsspec.implementations.local import LocalFileSystem
from hdfs_native.fsspec import HdfsFileSystem


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
    """One client an address, kept here and not by fsspec: that drops its own in a forked child before it runs its
    program, where the client's threads are not and its end waits for them for ever."""
    return HdfsFileSystem(host=host, port=port, skip_instance_cache=True)


def write_whole(url: str, content: bytes) -> None:
    """Write a file aside and rename it: a reader sees all of it or none."""
    files, path = file_system(url)
    aside = f"{path}.new"
    with files.open(aside, "wb") as out:
        out.write(content)
    if files.exists(path):
        files.rm(path)
    files.mv(aside, path)
