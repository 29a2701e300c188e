"""The native modules: our Rust crates, built in release into the packages that use them. Standard library only."""

from __future__ import annotations

import subprocess
from pathlib import Path

from infra.install import stamps
from infra.install.virtual_environment import InstallError, Say


def install(root: Path, folder: Path, say: Say) -> None:
    """Build and install, if a source has changed since the last time.

    Raises:
        InstallError: the build failed; the compiler's last lines are in the message.
    """
    stamp = folder / "share" / "hotpath" / "native.stamp"
    made_from = stamps.digest(_sources(root))
    if stamps.is_current(stamp, made_from) and _modules_are_there(root):
        return
    say("building the native modules meanwhile (the first time takes a minute or two)")
    command = [str(folder / "bin" / "python"), "-m", "pip", "install", "--disable-pip-version-check"]
    done = subprocess.run(
        [*command, "--no-build-isolation", "--no-deps", "-e", str(root)], capture_output=True, text=True
    )
    if done.returncode:
        last = "\n  ".join((done.stdout + done.stderr).splitlines()[-25:])
        raise InstallError(f"the native modules could not be built:\n  {last}")
    stamps.write(stamp, made_from)
    say("the native modules are built")


def _sources(root: Path) -> list[Path]:
    crates = [root / package / "native" for package in ("streaming", "serving")]
    found = [path for crate in crates for path in crate.rglob("*") if path.suffix in (".rs", ".toml")]
    return [*found, root / "Cargo.toml", root / "Cargo.lock", root / "pyproject.toml"]


def _modules_are_there(root: Path) -> bool:
    return all(any((root / package).glob("_native*.so")) for package in ("streaming", "serving"))
