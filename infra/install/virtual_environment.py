"""The virtual environment: every package at its locked version, its hash checked. Standard library only."""

from __future__ import annotations

import subprocess
import sys
import venv
from collections.abc import Callable
from pathlib import Path

from infra.install import stamps

Say = Callable[[str], None]


class InstallError(Exception):
    """Something could not be installed; the message says what, and what to do."""


def make(folder: Path, say: Say) -> None:
    """Make the environment, if it is not there."""
    if not (folder / "bin" / "python").exists():
        say(f"making a virtual environment in {folder} with Python {sys.version.split()[0]}")
        venv.EnvBuilder(with_pip=True, symlinks=True).create(folder)


def install(folder: Path, lock: Path, say: Say) -> None:
    """Bring the environment to a lock file; what others have brought stays.

    Raises:
        InstallError: pip failed; its last lines are in the message.
    """
    stamp = folder / "share" / "hotpath" / f"{lock.stem}.stamp"
    if stamps.is_current(stamp, stamps.digest([lock])):
        return
    count = sum(1 for line in lock.read_text().splitlines() if "==" in line)
    say(f"installing {count} Python packages from {lock.name}")
    arguments = ("install", "--require-hashes", "--disable-pip-version-check", "-r", str(lock))
    _pip(folder / "bin" / "python", *arguments, say=say)
    stamps.write(stamp, stamps.digest([lock]))


def site_packages(folder: Path) -> Path:
    """Where the environment's packages are.

    Raises:
        InstallError: the environment is not whole.
    """
    found = next(folder.glob("lib/python3.*/site-packages"), None)
    if found is None:
        raise InstallError(f"{folder} is not a virtual environment; remove it and start again")
    return found


def _pip(python: Path, *arguments: str, say: Say) -> None:
    """Run pip, telling each package as it is collected."""
    command = [str(python), "-m", "pip", *arguments, "--progress-bar", "off"]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert running.stdout is not None
    last: list[str] = []
    for line in running.stdout:
        last = [*last[-9:], line.rstrip()]
        if line.startswith(("Collecting", "Installing")):
            say("  " + line.strip()[:110])
    if running.wait():
        raise InstallError("pip failed; is the network there? Its last lines:\n  " + "\n  ".join(last))
