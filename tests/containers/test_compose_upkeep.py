"""What an SRE does with compose, by the commands of docs/compose.md: keys, pipelines, upgrade, backup, scale out."""

from __future__ import annotations

import json
import subprocess
import time
import urllib.request
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from contract.manifest import MANIFEST, read_manifest
from infra.settings import ROOT
from tests.containers.compose_project import HOT_PORT, IMAGES, NAME, PIPELINE, Caller, Project, documented, wait_for
from tests.containers.docker_events import KilledForMemory
from tests.serving.load import load

pytestmark = [pytest.mark.deep, pytest.mark.timeout(5400)]

MINIMAL = ROOT / "tests" / "pipelines" / "minimal.toml"
SECOND_PORT = HOT_PORT + 1


def test_a_key_is_rotated_while_callers_ask(project: Project, caller: Caller) -> None:
    add, show, remove = documented("docker compose run --rm --no-deps secrets sh -c 'python").splitlines()
    project.shell(add)
    old, new = project.shell(show).split()
    wait_for(lambda: caller.answer(new)[0] == 200, 30, "the new key is taken")
    assert caller.answer(old)[0] == 200
    project.shell(remove)
    wait_for(lambda: caller.answer(old)[0] == 401, 30, "the old key is refused")
    assert caller.answer(new)[0] == 200


def test_a_pipeline_is_added_by_the_mounted_folder_and_by_a_command_and_removed(
    project: Project, caller: Caller
) -> None:
    mounted = project.pipelines / "second.toml"
    mounted.write_bytes(MINIMAL.read_bytes())
    project.run("restart", "topics")
    wait_for(second_answers, 180, "the pipeline of the mounted folder has a hot address")
    project.hotpath("remove", "machines")
    wait_for(lambda: not second_answers(), 60, "it has none any more")
    mounted.unlink()
    copy = documented("docker compose exec -T topics sh -c 'cat").replace("< mine.toml", f"< {MINIMAL}")
    project.shell(copy)
    project.hotpath("check", "/tmp/mine.toml")
    project.hotpath("up", "/tmp/mine.toml")
    wait_for(second_answers, 30, "the pipeline of the command has a hot address")
    project.hotpath("remove", "machines")


def second_answers() -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{SECOND_PORT}/health/live", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def test_a_pipeline_is_removed_and_deployed_again(project: Project, caller: Caller) -> None:
    project.shell(documented("docker compose exec topics hotpath remove flights"))
    assert caller.model() is None
    project.shell(documented("docker compose exec topics hotpath check"))
    wait_for(lambda: caller.model() is not None, 120, "the pipeline answers again")


def test_an_upgrade_keeps_the_hot_addresses(project: Project, caller: Caller) -> None:
    """Callers wait; of requests that are open when their scorer is replaced few fail."""
    before = {name: told["Image"] for name, told in project.containers().items()}
    for image in IMAGES:
        made_anew(image)
    _, *commands = documented("docker compose build").splitlines()  # that one would only name the old images again
    with load(HOT_PORT, "/health/live") as clients:
        for command in commands:
            began, failed = time.monotonic(), clients.failed.total()
            project.shell(command)
            took_s, failed = time.monotonic() - began, clients.failed.total() - failed
            print(f"\n{command}: {took_s:.0f} s, {failed} failed")
        clients.more(50)
    print(f"upgrade: {clients.answered.total()} answered, failed: {dict(clients.failed)}")
    assert caller.model() is not None
    project.becomes_well()
    replaced = {name for name, told in project.containers().items() if told["Image"] != before.get(name)}
    assert {name for name in before if name not in replaced} == {
        f"{NAME}-{service}-1" for service in ("net", "influxdb", "grafana")
    }
    assert clients.failed.total() <= 2 * clients.connections


def made_anew(image: str) -> None:
    """The same under another digest, as a build of new sources would give it."""
    dockerfile = f"FROM {image}\nLABEL made={time.time()}\n".encode()
    subprocess.run(["docker", "build", "--quiet", "--tag", image, "-"], input=dockerfile, check=True)


def test_what_was_backed_up_is_there_after_everything_was_deleted(
    project: Project, caller: Caller, tmp_path: Path
) -> None:
    keys, models = project.keys(), project.models()
    project.shell(documented("docker compose stop\nmkdir"), tmp_path)
    wait_for(lambda: caller.model() is not None, 120, "a model answers after the backup")
    project.down()
    assert subprocess.check_output(["docker", "volume", "ls", "--quiet", "--filter", f"name={NAME}"], text=True) == ""
    project.shell(documented("docker compose create"), tmp_path)
    assert project.keys() == keys
    wait_for(lambda: caller.model() is not None, 120, "a model answers after the restore")
    assert models.keys() <= project.models().keys()
    project.becomes_well()
    restored_at = datetime.now(UTC)
    took_s = wait_for(lambda: trained_since(project, restored_at), 900, "a model is trained from events since then")
    print(f"\nafter the restore a model is trained from newer events within {took_s:.0f} s")


def trained_since(project: Project, moment: datetime) -> list[dict[str, Any]]:
    """The manifests of candidates whose newest row is from later."""
    candidates = project.volume("onprem") / PIPELINE / "candidates"
    files = [path for path in candidates.glob(f"*/{MANIFEST}") if path.exists()]
    newer = [
        path
        for path in files
        if read_manifest(path.read_bytes(), path.parent.name).newest_as_of_us / 1e6 > moment.timestamp()
    ]
    return [json.loads(path.read_bytes()) for path in newer]


def test_a_cluster_of_h2o_and_one_of_spark_take_the_work_over(
    project: Project, caller: Caller, killed_for_memory: KilledForMemory
) -> None:
    project.run("down")
    project.env["HOTPATH_SPARK_MASTER"] = "spark://spark-master:7077"
    project.env["COMPOSE_PROFILES"] += ",spark-cluster"
    project.up("--scale", "h2o=2", "--scale", "spark-worker=2")
    started_at = datetime.now(UTC)
    wait_for(lambda: trained_since(project, started_at), 1200, "a model is trained by the clusters")
    assert {manifest["cluster"]["nodes"] for manifest in trained_since(project, started_at)} == {2}
    spark = json.loads(project.run("exec", "-T", "topics", "python", "-c", ASK_MASTER))
    assert [worker["state"] for worker in spark["workers"]] == ["ALIVE", "ALIVE"]
    assert spark["coresused"] > 0
    project.becomes_well()
    assert killed_for_memory.containers() == []


ASK_MASTER = "import urllib.request; print(urllib.request.urlopen('http://spark-master:8080/json/').read().decode())"


def test_down_leaves_nothing(project: Project) -> None:
    project.down()
    label = f"label=com.docker.compose.project={NAME}"
    for kind in ("container", "volume", "network"):
        command = ["docker", kind, "ls", "--quiet", "--filter", label, *(["--all"] if kind == "container" else [])]
        assert subprocess.check_output(command, text=True) == ""
