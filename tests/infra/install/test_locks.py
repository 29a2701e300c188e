"""The lock files: what is installed first is what stays, every package has hashes, and no file names an index."""

from __future__ import annotations

import re

import pytest

from infra.settings import ROOT

LOCKS = ROOT / "infra" / "locks"


def locked(name: str) -> dict[str, str]:
    """Package -> its lines: version and hashes."""
    blocks = re.split(r"(?m)^(?=[a-z0-9])", (LOCKS / f"{name}.txt").read_text())
    return {block.partition("==")[0]: block for block in blocks if block}


@pytest.mark.parametrize(("smaller", "larger"), [("build", "run"), ("run", "test")])
def test_a_larger_lock_file_holds_the_smaller_one(smaller: str, larger: str) -> None:
    assert locked(smaller).items() <= locked(larger).items()


@pytest.mark.parametrize("name", ["build", "run", "test"])
def test_every_package_has_hashes_and_no_address(name: str) -> None:
    assert all("--hash=sha256:" in block for block in locked(name).values())
    assert "://" not in (LOCKS / f"{name}.txt").read_text()
