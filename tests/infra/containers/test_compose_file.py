"""docker-compose.yml says what the local stack and the documents say, and opens no more than it must. No Docker."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from contract import variables
from contract.environment import Environment
from infra.containers.compose_services import METRICS_PORT, ROLLOUTS, ports_of, targets
from infra.ports import Ports
from infra.settings import ROOT, Settings
from infra.stack.deployments import Deployment
from infra.stack.part_environment import EXAMPLE, environment
from infra.stack.stack import Stack
from streaming.pipeline_file.load import load

TEXT = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name for name, service in SERVICES.items() if "build" in service}
OF_CONTAINERS = {"secrets", "net", "scorer", "grafana"}
"""What the local stack has no part for: files, processes of rollouts, and what it does not start."""
CLUSTER = {"spark-master", "spark-worker"}
CROSSING = {"topics", "mirror", "watcher", "pull", "monitor"}
SETTING = re.compile(r"\$\{(\w+)(?::-([^}]*))?\}")


def service_of(part: str) -> str:
    """The service that runs a part of the local stack."""
    names = {"streaming": "spark", "socket_manager": "socket-manager"}
    return names.get(part) or re.sub(r"^(rollout|replay)-.*", r"\1", part)


def local_parts(folder: Path) -> set[str]:
    settings = Settings.from_environment({"HOTPATH_DATA": str(folder), "PATH": ""})
    ports = Ports.of(settings)
    env = environment(settings, ports, ["flights"])
    stack = Stack(settings, ports, env)
    deployed = Deployment(load(EXAMPLE), EXAMPLE, EXAMPLE)
    return {part.name for part in (*stack.common(lambda: [deployed]), *stack.of_pipeline(deployed))}


def test_compose_and_the_local_stack_run_the_same_parts(tmp_path: Path) -> None:
    parts = {service_of(part) for part in local_parts(tmp_path)} | {"influxdb"}  # the machine may have none
    assert SERVICES.keys() - CLUSTER == parts | OF_CONTAINERS


@pytest.mark.parametrize("page", ["compose.md", "architecture.md"])
def test_the_documents_name_every_service(page: str) -> None:
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    assert [name for name in SERVICES if f"`{name}`" not in text] == []


def test_every_setting_is_declared_explained_and_has_the_same_default_everywhere() -> None:
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    found = {name: default for name, default in SETTING.findall(TEXT) if name.startswith("HOTPATH_")}
    explained = dict(re.findall(r"(?m)^#?(\w+)=(.*)$", example))
    assert found.keys() | {"COMPOSE_PROFILES"} == explained.keys()
    known = {variable.name: variable for group in variables.GROUPS.values() for variable in group}
    for name, default in found.items():
        assert name in known, f"declare {name} in contract/variables.py"
        if default:
            Environment({name: default}).get(known[name])
            assert explained[name] == default, name
    for variable in variables.GROUPS["compose"]:
        assert found[variable.name].removeprefix("./") == str(variable.default)


def test_only_the_parts_that_must_cross_stand_in_both_networks() -> None:
    both = {name for name, service in SERVICES.items() if {*service.get("networks", ())} == {"onprem", "cloud"}}
    assert both == CROSSING
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    assert "only `topics`, `mirror`, `watcher`, `pull` and `monitor` are in both" in " ".join(text.split())


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_is_confined(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["mem_limit"]
    assert "privileged" not in service
    assert not [volume for volume in service.get("volumes", ()) if "docker.sock" in volume]
    assert service["restart"] == ("no" if name == "secrets" else "unless-stopped")
    assert "healthcheck" in service or name == "secrets"
    if name not in OURS:
        assert not service["user"].startswith(("0", "root")), "ours say it in the Dockerfile"


def test_nothing_is_opened_beyond_this_machine_unless_a_setting_says_so() -> None:
    opened = [port for service in SERVICES.values() for port in service.get("ports", ())]
    plain = [SETTING.sub(lambda setting: setting[2], port) for port in opened]
    assert all(port.startswith("127.0.0.1:") for port in plain)
    assert sorted(port.split(":", 1)[1] for port in plain) == [
        "17012:17012",
        "17013:17013",
        "17020-17029:17020-17029",
        "3000:3000",
    ]


def test_the_memory_of_all_is_at_most_8_gb() -> None:
    usual = {name: service for name, service in SERVICES.items() if name not in CLUSTER | {"secrets"}}
    copies = {"scorer": 4}
    total = sum(int(service["mem_limit"].removesuffix("m")) * copies.get(name, 1) for name, service in usual.items())
    assert total <= 8 * 1024


def test_few_programs_a_second_are_started_to_ask_whether_containers_are_well() -> None:
    """Docker starts one for each question; on two cores that are busy they would else become the load themselves."""
    usual = {name: service for name, service in SERVICES.items() if name not in CLUSTER | {"secrets"}}
    intervals = {name: int(service["healthcheck"]["interval"].removesuffix("s")) for name, service in usual.items()}
    assert sum({"scorer": 4}.get(name, 1) / interval for name, interval in intervals.items()) <= 1.5


def test_each_part_is_measured_where_it_serves_its_metrics(tmp_path: Path) -> None:
    settings = Settings.from_environment({"HOTPATH_DATA": str(tmp_path)})
    found = targets(settings, ["flights"])
    for part, address in found.items():
        service = SERVICES[service_of(part)]
        host = "net" if part == "socket_manager" else service_of(part)
        assert address.partition(":")[0] == host
        if not part.startswith(ROLLOUTS):
            assert service["environment"]["HOTPATH_METRICS_PORT"] == str(METRICS_PORT)
            assert address == f"{host}:{METRICS_PORT}"


def test_what_compose_tells_of_addresses_is_where_the_engines_listen(tmp_path: Path) -> None:
    ports = ports_of(Settings.from_environment({"HOTPATH_DATA": str(tmp_path)}))
    stated = {name: default for name, default in SETTING.findall(TEXT) if default}
    assert stated["HOTPATH_ONPREM_KAFKA"] == ports.address("onprem")
    assert stated["HOTPATH_CLOUD_KAFKA"] == ports.address("cloud")
    assert stated["HOTPATH_HDFS"] == f"hdfs://{ports.address('namenode')}"
    assert stated["HOTPATH_HDFS_HTTP"] == f"http://{ports.address('namenode_http')}"
    assert stated["HOTPATH_H2O"] == f"http://{ports.address('h2o')}"
    assert stated["HOTPATH_INFLUX_URL"] == f"http://{ports.address('influxdb')}"
    assert SERVICES["monitor"]["environment"]["HOTPATH_ADMIN"] == ports.address("admin")
    assert ports.address("scorer:flights") == SERVICES["replay"]["environment"]["HOTPATH_SCORER_FLIGHTS"]


def test_docker_compose_takes_the_file_with_and_without_the_example_settings_and_with_engines_of_a_team(
    tmp_path: Path,
) -> None:
    """Where there is no such plugin, `hotpath test` says last that this was left out."""
    if not shutil.which("docker") or subprocess.run(["docker", "compose", "version"], capture_output=True).returncode:
        return
    override = tmp_path / "override.yml"
    engines = ("kafka-onprem", "kafka-cloud", "namenode", "datanode", "secondarynamenode", "h2o", "influxdb")
    override.write_text(yaml.safe_dump({"services": {name: {"profiles": ["unused"]} for name in engines}}))
    usual = ("--file", "docker-compose.yml")
    assert services(*usual, "--env-file", "/dev/null") == SERVICES.keys() - CLUSTER - {"replay"}
    assert services(*usual, "--env-file", ".env.example") == SERVICES.keys() - CLUSTER
    assert services(*usual, "--profile", "*") == SERVICES.keys()
    assert services(*usual, "--file", str(override)) == SERVICES.keys() - CLUSTER - {"replay"} - {*engines}


def services(*options: str) -> set[str]:
    """Those that `docker compose up` would start."""
    command = ["docker", "compose", *options, "config", "--services"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    return set(done.stdout.split())


def test_no_secret_and_nothing_built_here_gets_into_an_image() -> None:
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    rules = [line for line in ignored if line and not line.startswith("#")]
    assert rules[0] == "*", "what is not named stays out: data folders, .env, .git"
    assert {"**/*.so", "**/target", "**/.env", "**/__pycache__"} <= {*rules}
    dockerfile = (ROOT / "infra" / "images" / "Dockerfile").read_text(encoding="utf-8")
    assert "ARG BASE_IMAGE=" in dockerfile
    assert re.search(r"(?m)^USER 10001:10001$", dockerfile)
    assert "://" not in dockerfile
