"""What the NameNode's web address says of HDFS."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import httpx

BEAN = "Hadoop:service=NameNode,name=FSNamesystem"
TIMEOUT_S = 5.0


@dataclass(frozen=True)
class HdfsFigures:
    capacity_bytes: int
    remaining_bytes: int
    missing_blocks: int
    live_nodes: int


def read_hdfs(client: httpx.Client, url: str) -> HdfsFigures:
    """Ask the NameNode.

    Raises:
        httpx.HTTPError: it does not answer.
        ValueError: what it says has another form.
    """
    answer = client.get(f"{url}/jmx", params={"qry": BEAN}, timeout=TIMEOUT_S).raise_for_status()
    try:
        bean: dict[str, Any] = answer.json()["beans"][0]
        return HdfsFigures(
            int(bean["CapacityTotal"]),
            int(bean["CapacityRemaining"]),
            int(bean["MissingBlocks"]),
            int(bean["NumLiveDataNodes"]),
        )
    except (KeyError, IndexError, TypeError) as error:
        raise ValueError(f"{url}/jmx says nothing of {BEAN}: {error!r}") from error
