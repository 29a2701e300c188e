"""What needs no installation is answered before anything is installed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from infra.install import installer
from infra.install.command_list import COMMANDS, version
from infra.settings import ROOT


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """One that is not installed: the launcher, the installer, and what they need."""
    for name in ("contract", "infra"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("hotpath", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def hotpath(checkout: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run it with a Python without any package, and without a C compiler: an installation would fail at once."""
    bare = {"PATH": str(checkout), "HOTPATH_PYTHON": sys._base_executable}  # type: ignore[attr-defined]
    for name in ("bash", "dirname", "readlink", "env", "cat"):
        if not (checkout / name).exists():
            (checkout / name).symlink_to(f"/usr/bin/{name}")
    return subprocess.run([checkout / "hotpath", *words], cwd=checkout, env=bare, capture_output=True, text=True)


def test_help_and_version_install_nothing(checkout: Path) -> None:
    helped, told = hotpath(checkout, "--help"), hotpath(checkout, "--version")
    assert (helped.returncode, helped.stderr) == (0, "")
    assert re.findall(r"^    (\w+)(?: |$)", helped.stdout, re.MULTILINE) == list(COMMANDS)
    assert (told.returncode, told.stdout) == (0, f"hotpath {version()}\n")
    assert not (checkout / ".venv").exists()


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["dance"], 2, "invalid choice: 'dance'"),
        ([], 2, "the following arguments are required: COMMAND"),
        (["--dance"], 2, "hotpath: error"),
        (["up", "nofile.toml"], 1, "hotpath: nofile.toml cannot be read: No such file or directory"),
        (["check", "--json", "nofile.toml"], 2, "hotpath: nofile.toml cannot be read: No such file or directory"),
        (["status"], 1, "hotpath: nothing is installed here yet, so no stack runs; `./hotpath up` installs"),
        (["down"], 0, "hotpath: nothing is installed here yet, so no stack runs"),
    ],
)
def test_what_cannot_be_right_installs_nothing(checkout: Path, words: list[str], code: int, says: str) -> None:
    done = hotpath(checkout, *words)
    assert done.returncode == code
    assert says in done.stderr
    assert not (checkout / ".venv").exists()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["test"], (True, True)),
        (["test", "--help"], (False, False)),
        (["test", "tests/infra", "-h"], (True, True)),
        (["up", "-h"], (False, False)),
        (["up"], (False, True)),
        (["status"], (False, False)),
    ],
)
def test_help_of_a_command_needs_neither_the_packages_of_tests_nor_engines(
    monkeypatch: pytest.MonkeyPatch, words: list[str], expected: tuple[bool, bool]
) -> None:
    asked: list[tuple[bool, bool]] = []
    monkeypatch.setattr(sys, "argv", ["installer", *words])
    monkeypatch.setattr(installer, "PYTHON", Path(sys.executable))
    monkeypatch.setattr(installer, "install", lambda with_tests, with_engines: asked.append((with_tests, with_engines)))
    monkeypatch.setattr(os, "execve", lambda *_: None)
    installer.main()
    assert asked == [expected]
