"""An address that a real scorer answers, behind the real socket manager."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.serving.http.raw_client import Address
from tests.serving.scoring_host import KEY, PREDICT, QUESTION, ScoringHost


@pytest.fixture(scope="session")
def address() -> Iterator[Address]:
    with ScoringHost() as host:
        yield serving_address(host)


def serving_address(host: ScoringHost, env: dict[str, str] | None = None) -> Address:
    """The host's hot address, once a new scorer with this environment accepts there."""
    scorer = host.launch("only", env=env)
    host.manager()
    host.reaches({"only": "standby"})
    assert host.switch("only")["ok"]
    scorer.close()
    limit = int((env or {}).get("HOTPATH_MAX_BODY", 1024 * 1024))
    return Address("127.0.0.1", host.port, KEY, PREDICT, json.dumps(QUESTION).encode(), limit)
