"""The programs that containers run, as processes of this host: rollouts, secrets, deployed files, health, engines."""

from __future__ import annotations

import ast
import http.server
import os
import signal
import subprocess
import sys
import threading
from importlib.metadata import distribution, packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from contract.layout import Places
from infra.containers import spark_standalone
from infra.containers.compose_services import ENGINES, engine, ports_of
from infra.containers.compose_status import part_rows
from infra.containers.deployer import Deployer
from infra.containers.mirror import Mirror
from infra.engines import hdfs_daemons, kafka_broker
from infra.install.image_steps import ENGINE_PACKAGES, SCORER_PACKAGES
from infra.settings import ROOT, Settings
from infra.stack.deployments import take_back
from serving.slots.slot import own_slot
from tests.serving.hot_host import kill
from tests.serving.local_candidates import version
from tests.serving.slots_host import SlotsHost

HEALTHY = str(ROOT / "infra" / "images" / "healthy")
MINIMAL = ROOT / "tests" / "pipelines" / "minimal.toml"


def settings_of(folder: Path, **more: str) -> Settings:
    kafkas = {"HOTPATH_ONPREM_KAFKA": "127.0.0.1:1", "HOTPATH_CLOUD_KAFKA": "127.0.0.1:1", "HOTPATH_ADMIN": "net:1"}
    return Settings.from_environment({"HOTPATH_DATA": str(folder), "HOTPATH_BIND": "0.0.0.0"} | kafkas | more)


def test_the_rollouts_follow_what_is_deployed() -> None:
    with SlotsHost() as host:
        host.slots = 2
        host.manager()
        host.begin_slots()
        rollouts = host.start("-m", "infra.containers.rollouts", env={"HOTPATH_PORT_BASE": str(host.admin_port - 100)})
        try:
            follows_what_is_deployed(host)
        finally:
            kill(rollouts, signal.SIGTERM)  # it ends its rollouts, which nobody else knows
        assert rollouts.returncode == 0


def follows_what_is_deployed(host: SlotsHost) -> None:
    host.serves(host.candidate(1))
    file = host.data / "pipelines" / "p.toml"
    file.write_text(file.read_text() + "\n# a change\n")
    host.waits(lambda: "its pipeline was changed" in host.said(10**9), "the rollout ends")
    host.serves(host.candidate(2))
    host.waits(lambda: host.models()[version(2)] == "champion", "the new rollout notes what it has done")
    take_back(Settings.from_environment(host.env), "p")
    host.waits(lambda: "its pipeline was removed" in host.said(10**9), "the rollout ends for good")


def test_secrets_are_made_once_and_only_the_group_may_read_them(tmp_path: Path) -> None:
    def made() -> dict[str, tuple[str, int]]:
        command = [sys.executable, "-m", "infra.containers.make_secrets"]
        subprocess.run(command, env=os.environ | {"HOTPATH_DATA": str(tmp_path)}, check=True, cwd=ROOT)
        return {file.name: (file.read_text(), file.stat().st_mode & 0o777) for file in (tmp_path / "secrets").iterdir()}

    first = made()
    assert first.keys() == {"keys", "influx.token", "grafana.password"}
    assert {mode for _, mode in first.values()} == {0o640}
    assert len({text for text, _ in first.values()}) == 3
    assert made() == first


def test_a_folder_of_files_is_deployed_but_for_what_is_removed_or_does_not_load(tmp_path: Path) -> None:
    settings, folder = settings_of(tmp_path / "data"), tmp_path / "pipelines"
    folder.mkdir()
    (folder / "minimal.toml").write_bytes(MINIMAL.read_bytes())
    (folder / "broken.toml").write_text("[")
    deployer = Deployer(settings)
    deployer.deploy_folder(folder)
    (name,) = settings.deployed_names()
    assert settings.folder.pipeline_address(name).read_text() == "0.0.0.0:17020\n"
    deployer.write_targets()
    assert "rollout:17050" in settings.folder.targets.read_text()
    take_back(settings, name)
    deployer.deploy_folder(folder)
    assert settings.deployed_names() == [], "somebody has removed it"


def test_status_lists_every_part_and_the_living_slots(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    with own_slot(settings.folder):
        rows = part_rows(settings, ports_of(settings))
    found = {row["part"]: row["state"] for row in rows}
    assert found["scorer-1"] == "ready"
    assert {found[part] for part in ("kafka-onprem", "streaming", "monitor")} == {"away"}
    looks = {row["part"]: row["look_first"] for row in rows}
    assert (looks["streaming"], looks["scorer-1"]) == ("docker compose logs spark", "docker compose logs scorer")


def test_an_engine_tells_others_the_name_of_its_container(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, HOTPATH_ADVERTISE="datanode")
    ports = ports_of(settings)
    broker = kafka_broker.configuration(settings, ports, "onprem")
    assert broker["advertised.listeners"] == "PLAINTEXT://kafka-onprem:17000"
    assert broker["listeners"] == "PLAINTEXT://0.0.0.0:17000,CONTROLLER://0.0.0.0:17001"
    assert hdfs_daemons.core_site(settings, ports)["fs.defaultFS"] == "hdfs://namenode:17005"
    assert hdfs_daemons.hdfs_site(settings, ports)["dfs.datanode.hostname"] == "datanode"
    with pytest.raises(ValueError, match="there is no engine kafka"):
        engine("kafka", settings)
    assert [engine(name, settings).name for name in ENGINES] == [*ENGINES]


def test_a_mirror_without_pipelines_has_no_configuration_and_takes_up_the_first_one(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    mirror = Mirror(settings, Places.from_environment(settings.env))
    assert not mirror.render()
    Deployer(settings).deploy_folder(MINIMAL.parent)
    assert mirror.render()
    assert not mirror.render(), "nothing has changed"


def test_a_spark_cluster_is_run_by_the_launcher_that_pyspark_brings(tmp_path: Path) -> None:
    master, worker = (spark_standalone.command(kind, settings_of(tmp_path)) for kind in ("master", "worker"))
    assert os.access(master[0], os.X_OK)
    assert master[1:] == ["org.apache.spark.deploy.master.Master", "--host", "spark-master", "--port", "7077"]
    assert worker[-1] == "spark://spark-master:7077"
    with pytest.raises(ValueError, match="say master or worker"):
        spark_standalone.command("driver", settings_of(tmp_path))


class Answers(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/well" else 503)
        self.end_headers()
        self.wfile.write(b'{"state": "well"}')

    def log_message(self, *_: object) -> None:
        """Says nothing."""


def test_healthy_tells_whether_a_container_is_well(tmp_path: Path) -> None:
    def is_healthy(*arguments: str) -> bool:
        env = {"TMPDIR": str(tmp_path), "PATH": os.environ["PATH"]}
        return subprocess.run([HEALTHY, *arguments], env=env, capture_output=True).returncode == 0

    server = http.server.HTTPServer(("127.0.0.1", 0), Answers)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    port = str(server.server_address[1])
    assert is_healthy(port)
    assert is_healthy(f"localhost:{port}", "/well", '"state": *"well"')
    assert not is_healthy(port, "/well", '"state": "bad"')
    assert not is_healthy(port, "/unwell")
    server.shutdown()
    server.server_close()
    assert not is_healthy(port)
    assert not is_healthy("alive")
    beat = tmp_path / "alive"
    beat.touch()
    assert is_healthy("alive")
    os.utime(beat, (0, 0))
    assert not is_healthy("alive")


def test_healthy_starts_no_program_to_ask_an_address(tmp_path: Path) -> None:
    """On a machine that is busy each one would wait for its turn."""
    server = http.server.HTTPServer(("127.0.0.1", 0), Answers)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    asked = [HEALTHY, str(server.server_address[1]), "/well", '"state": "well"']
    assert subprocess.run(asked, env={"PATH": str(tmp_path)}).returncode == 0
    server.shutdown()
    server.server_close()


def closure(names: tuple[str, ...]) -> set[str]:
    """These distributions and all that they need, by normalised name."""
    wanted, found = list(names), set[str]()
    while wanted:
        name = wanted.pop().lower().replace("_", "-")
        if name not in found:
            found.add(name)
            needs = [Requirement(text) for text in distribution(name).requires or ()]
            wanted += [need.name for need in needs if need.marker is None or need.marker.evaluate({"extra": ""})]
    return found


@pytest.mark.parametrize(
    ("packages", "modules"),
    [
        (SCORER_PACKAGES, "serving.scorer, serving.slots.slot, serving.listener.socket_manager"),
        (ENGINE_PACKAGES, "infra.containers.engine, infra.containers.mirror"),
    ],
    ids=["scorer", "engines"],
)
def test_an_image_holds_every_package_that_its_programs_import(packages: tuple[str, ...], modules: str) -> None:
    """What is imported where it can be, and done without where it lacks, is not asked for."""
    optional = {
        "opentelemetry-api",
        "rich",
        "pygments",
        "setuptools",
        "mypy-extensions",
        "hotpath",
        "markdown-it-py",
        "mdurl",
    }
    program = f"import sys, {modules}; print(sorted({{name.partition('.')[0] for name in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    imported = set(ast.literal_eval(done.stdout))
    distributions = packages_distributions()
    needed = {found.lower().replace("_", "-") for name in imported for found in distributions.get(name, ())}
    assert needed - optional <= closure(packages)
    assert "pyspark" not in imported
    assert "h2o" not in imported
