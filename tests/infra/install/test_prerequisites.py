"""What lacks on a machine is named with its exact remedy, all of it at once."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from infra.install import prerequisites
from infra.install.jars import SETS, _artifact
from infra.settings import ROOT


@pytest.mark.parametrize(
    ("printed", "message"),
    [
        ("cargo 1.89.0 (c24e10642 2025-06-23)", None),
        ("cargo 2.1.0", None),
        ("cargo 1.75.0 (1d8b05cdd 2023-11-20)", "this one is 1.75; run: rustup update stable"),
        ("", "not found; install it with rustup"),
    ],
)
def test_an_old_or_missing_cargo_is_named(printed: str, message: str | None) -> None:
    found = prerequisites._cargo(printed)
    assert found == [] if message is None else message in found[0]


def test_everything_that_lacks_is_named_in_one_message(tmp_path: Path) -> None:
    bare = {"PATH": str(tmp_path), "HOTPATH_PYTHON": sys.executable}
    for name in ("bash", "dirname", "readlink", "env"):
        (tmp_path / name).symlink_to(f"/usr/bin/{name}")
    done = subprocess.run([ROOT / "hotpath", "status"], env=bare, capture_output=True, text=True)
    assert done.returncode == 1
    assert "Rust 1.89 or newer (cargo): not found" in done.stderr
    assert "a C linker (cc): not found" in done.stderr


def test_artifacts_are_told_from_their_versions() -> None:
    assert _artifact("delta-spark_4.2_2.13-4.4.0.jar") == "delta-spark_4.2_2.13"
    assert _artifact("jackson-core-2.13.5.jar") == "jackson-core"


def test_brokers_and_spark_keep_their_kafka_clients_apart() -> None:
    assert len({jars.name for jars in SETS}) == 3


def test_a_checkout_whose_path_has_a_blank_is_refused_before_anything_is_installed(tmp_path: Path) -> None:
    checkout, elsewhere = tmp_path / "my checkout", tmp_path / "elsewhere"
    (checkout / "infra").mkdir(parents=True)
    shutil.copy(ROOT / "hotpath", checkout)
    shutil.copytree(ROOT / "infra" / "install", checkout / "infra" / "install")
    (checkout / "contract").mkdir()
    shutil.copy(ROOT / "contract" / "files.py", checkout / "contract")
    for package in ("infra", "contract"):
        (checkout / package / "__init__.py").touch()
    (elsewhere / "infra").mkdir(parents=True)
    (elsewhere / "infra" / "__init__.py").write_text("raise SystemExit('the package of the working directory')")
    done = subprocess.run([checkout / "hotpath", "up"], cwd=elsewhere, capture_output=True, text=True)
    assert done.returncode == 1
    assert f"{checkout}: the engines take only" in done.stderr
    assert "move the checkout to such a folder" in done.stderr
    assert not (checkout / ".venv").exists()
