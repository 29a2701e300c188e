"""Options of the tests, and how hypothesis runs: without deadlines, which a busy machine would miss."""

from __future__ import annotations

import os

import hypothesis
import pytest

hypothesis.settings.register_profile("hotpath", deadline=None)
hypothesis.settings.load_profile("hotpath")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--parity", type=int, metavar="N", help="compare N drawn expressions with Spark SQL (330)")


def pytest_configure(config: pytest.Config) -> None:
    """HOTPATH_PARITY says the same, for runs that no option reaches."""
    if wanted := config.getoption("--parity"):
        os.environ["HOTPATH_PARITY"] = str(wanted)
