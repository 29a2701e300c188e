"""What the machine must have before anything is installed. Standard library only."""

from __future__ import annotations

import importlib.util
import platform
import re
import shutil
import subprocess
from pathlib import Path

CARGO = (1, 89)
DISK_GB = 4

_PLAIN_PATH = re.compile(r"[A-Za-z0-9/._+@-]+")


def missing(venv: Path, root: Path) -> list[str]:
    """Everything that lacks, each with its remedy; once the environment is installed only what a rebuild needs."""
    found = [
        *unfit_path(root, "move the checkout to such a folder"),
        *_system(),
        *_cargo(_version_of("cargo")),
        *_linker(),
    ]
    if not (venv / "bin" / "python").exists():
        found += [*_venv_module(), *_disk(root)]
    return found


def unfit_path(path: Path, remedy: str) -> list[str]:
    """What is wrong with a path for command lines and configuration of the engines.

    Spark splits its Java options at blanks, Java its class path at colons, Hadoop its folders at commas.
    """
    if _PLAIN_PATH.fullmatch(str(path)):
        return []
    return [f"{path}: the engines take only letters of ASCII, digits and ._+@- in the names of folders; {remedy}"]


def _system() -> list[str]:
    if platform.system() == "Linux" and platform.machine() in ("x86_64", "AMD64"):
        return []
    return [f"this is {platform.system()} on {platform.machine()}; hotpath runs on Linux on x86-64"]


def _cargo(printed: str) -> list[str]:
    """Rust's cargo, from what `cargo --version` printed."""
    version = re.search(r"(\d+)\.(\d+)", printed)
    if version and (int(version[1]), int(version[2])) >= CARGO:
        return []
    wanted = f"Rust {CARGO[0]}.{CARGO[1]} or newer (cargo)"
    if version:
        return [f"{wanted}: this one is {version[0]}; run: rustup update stable"]
    return [f"{wanted}: not found; install it with rustup (see https://rustup.rs), then open a new shell"]


def _linker() -> list[str]:
    if any(shutil.which(name) for name in ("cc", "gcc", "clang")):
        return []
    return ["a C linker (cc): not found; Debian, Ubuntu: apt-get install gcc; Fedora: dnf install gcc"]


def _venv_module() -> list[str]:
    if importlib.util.find_spec("venv") and importlib.util.find_spec("ensurepip"):
        return []
    return ["Python's venv module: not found; Debian, Ubuntu: apt-get install python3-venv"]


def _disk(root: Path) -> list[str]:
    free = shutil.disk_usage(root).free / 1024**3
    return [] if free >= DISK_GB else [f"{free:.1f} GB are free at {root}, {DISK_GB} are needed to install; make room"]


def _version_of(program: str) -> str:
    if not shutil.which(program):
        return ""
    done = subprocess.run([program, "--version"], capture_output=True, text=True)
    return done.stdout
