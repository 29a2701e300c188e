"""Builds an `influxd` for the tests from its Go module, into the user's cache. Standard library only.

    Go, cargo and a C compiler are there?   else nothing is built
    the module                              downloaded by Go, checked against its sums, copied (`go install` refuses it)
    pkg-config                              InfluxData's own, which builds the Rust library of Flux on the way
    influxd                                 without its web page, some six minutes of two cores; then kept

Run: python -m infra.install.influxd_build
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

VERSION: Final = "2.7.12"
MODULE: Final = "github.com/influxdata/influxdb/v2"
NEEDS: Final = ("go", "cargo", "cc")
WITHIN_S: Final = 1200.0
"""The whole may take so long; without a network Go may wait for ever."""

_ENDS_S: Final = time.monotonic() + WITHIN_S
_RUSTC: Final = """\
#!/bin/sh
# Flux denies warnings, and newer compilers have more of them.
case " $* " in *" --cap-lints"*) exec "$@" ;; *) exec "$@" --cap-lints warn ;; esac
"""


def cached() -> Path:
    """Where the program is kept, or would be."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "hotpath" / f"influxd-{VERSION}"


def lacking() -> list[str]:
    """The programs without which it cannot be built."""
    return [name for name in NEEDS if shutil.which(name) is None]


def build() -> Path:
    """Build it unless it is there; where it is.

    Raises:
        subprocess.SubprocessError: a step failed, or took too long; what it printed went to stderr.
    """
    program = cached()
    if program.exists():
        return program
    program.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="influxd-", dir=program.parent) as scratch:
        built = _build_in(Path(scratch))
        built.replace(program)
    return program


def _build_in(scratch: Path) -> Path:
    source, pkg_config, wrapper = scratch / "source", scratch / "pkg-config", scratch / "rustc"
    _run(["go", "mod", "download", f"{MODULE}@v{VERSION}"], scratch)
    modules = _run(["go", "env", "GOMODCACHE"], scratch).strip()
    shutil.copytree(Path(modules) / f"{MODULE}@v{VERSION}", source)
    for folder in (source, *(path for path in source.rglob("*") if path.is_dir())):
        folder.chmod(0o755)  # Go keeps its modules read-only
    wrapper.write_text(_RUSTC)
    wrapper.chmod(0o755)
    _run(["go", "build", "-o", str(pkg_config), "github.com/influxdata/pkg-config"], source)
    version = f"-s -w -X main.version=v{VERSION}"
    command = ["go", "build", "-tags", "sqlite_foreign_keys,sqlite_json", "-ldflags", version]
    env = {"RUSTC_WRAPPER": str(wrapper), "PKG_CONFIG": str(pkg_config), "GOFLAGS": "-buildvcs=false"} | _toolchain()
    _run([*command, "-o", str(scratch / "influxd"), "./cmd/influxd"], source, env)
    return scratch / "influxd"


def _toolchain() -> dict[str, str]:
    """Flux pins an old Rust, which rustup would have to download: the one that is there does."""
    if shutil.which("rustup") is None:
        return {}
    shown = subprocess.run(["rustup", "show", "active-toolchain"], capture_output=True, text=True)
    return {"RUSTUP_TOOLCHAIN": shown.stdout.split()[0]} if shown.stdout.strip() else {}


def _run(command: list[str], folder: Path, env: dict[str, str] | None = None) -> str:
    full = os.environ | (env or {})
    done = subprocess.run(
        command,
        cwd=folder,
        env=full,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=max(1.0, _ENDS_S - time.monotonic()),
    )
    return done.stdout


def main() -> int:
    """0 when it is there, 1 when it cannot be built, and why."""
    if not cached().exists() and (missing := lacking()):
        print(f"influxd is not built: {', '.join(missing)} not found", file=sys.stderr)
        return 1
    os.nice(10)  # the tests beside it come first
    try:
        print(build())
    except (OSError, subprocess.SubprocessError) as error:
        print(f"influxd is not built: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
