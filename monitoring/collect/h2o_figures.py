"""What an H2O cluster says of itself."""

from __future__ import annotations

from dataclasses import dataclass

import httpx

from contract.layout import H2o

TIMEOUT_S = 5.0


@dataclass(frozen=True)
class H2oFigures:
    nodes: int
    free_memory_bytes: int
    running_jobs: int


def read_h2o(client: httpx.Client, h2o: H2o) -> H2oFigures:
    """Ask the cluster.

    Raises:
        httpx.HTTPError: it does not answer.
        ValueError: what it says has another form.
    """
    cloud = client.get(f"{h2o.url}/3/Cloud", auth=h2o.login, timeout=TIMEOUT_S).raise_for_status().json()
    jobs = client.get(f"{h2o.url}/3/Jobs", auth=h2o.login, timeout=TIMEOUT_S).raise_for_status().json()
    try:
        free = sum(int(node["free_mem"]) for node in cloud["nodes"])
        running = sum(job["status"] == "RUNNING" for job in jobs["jobs"])
        return H2oFigures(int(cloud["cloud_size"]), free, running)
    except (KeyError, TypeError) as error:
        raise ValueError(f"{h2o.url} describes itself in another form: {error!r}") from error
