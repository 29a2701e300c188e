"""What pull promises: complete candidates, checked byte for byte, newest first, whenever the registry is there."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import pytest
from hypothesis import given, settings

from contract.layout import Places
from contract.manifest import MANIFEST
from contract.messages.model_states import ModelState
from serving.candidates.admission import Refused, admit
from serving.candidates.pull import MOST_TRIES, pull_pipeline
from serving.candidates.state_store import ModelStates
from serving.candidates.sync import KEEP, PullError, Registry, drop, missing, pull_candidate, rejected, superfluous
from streaming.pipeline_file.load import load
from tests.manifests import damaged
from tests.serving.hot_host import HotHost, free_port
from tests.serving.local_candidates import version, write_candidate

PIPELINE = load(Path(__file__).parents[1] / "machines.toml")


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    return tmp_path / "registry"


@pytest.fixture
def registry(remote: Path) -> Registry:
    return Registry(f"file://{remote}")


def test_a_proposed_candidate_arrives_whole_and_its_manifest_last(
    remote: Path, registry: Registry, tmp_path: Path
) -> None:
    name = write_candidate(remote, PIPELINE, 1)
    local = tmp_path / "local"
    assert missing(registry, local) == [name]
    pull_candidate(registry, name, local)
    for file in ("manifest.json", "model.zip", "reference.jsonl", "transform.json"):
        assert (local / name / file).read_bytes() == (remote / name / file).read_bytes()
    assert missing(registry, local) == []
    assert not list(local.glob("*/.*"))


def test_of_a_candidate_that_is_not_proposed_only_the_manifest_comes(
    remote: Path, registry: Registry, tmp_path: Path
) -> None:
    name = write_candidate(remote, PIPELINE, 1, proposed=False)
    pull_candidate(registry, name, tmp_path / "local")
    assert [path.name for path in (tmp_path / "local" / name).iterdir()] == ["manifest.json"]


def test_a_candidate_without_a_manifest_is_not_there_yet(remote: Path, registry: Registry, tmp_path: Path) -> None:
    assert missing(registry, tmp_path) == [], "no registry at all is no error"
    name = write_candidate(remote, PIPELINE, 1)
    (remote / name / "manifest.json").unlink()
    assert missing(registry, tmp_path) == []


def test_after_an_outage_the_newest_comes_first(remote: Path, registry: Registry, tmp_path: Path) -> None:
    for number in (1, 3, 2):
        write_candidate(remote, PIPELINE, number)
    assert missing(registry, tmp_path) == [version(3), version(2), version(1)]


def test_a_file_that_was_damaged_on_the_way_is_refused_and_comes_again(
    remote: Path, registry: Registry, tmp_path: Path
) -> None:
    name, local = write_candidate(remote, PIPELINE, 1), tmp_path / "local"
    whole = (remote / name / "reference.jsonl").read_bytes()
    (remote / name / "reference.jsonl").write_bytes(whole[:-1] + b" ")
    with pytest.raises(PullError, match=r"reference\.jsonl came with .* its manifest promises"):
        pull_candidate(registry, name, local)
    assert not (local / name / "manifest.json").exists()
    assert not (local / name / "reference.jsonl").exists()
    (remote / name / "reference.jsonl").write_bytes(whole)
    (remote / name / "model.zip").unlink()  # already here: it is not copied a second time
    pull_candidate(registry, name, local)
    assert missing(registry, local) == []


def test_a_file_that_was_damaged_here_comes_again(remote: Path, registry: Registry, tmp_path: Path) -> None:
    name, local = write_candidate(remote, PIPELINE, 1), tmp_path / "local"
    whole = (remote / name / "model.zip").read_bytes()
    (local / name).mkdir(parents=True)
    (local / name / "model.zip").write_bytes(bytes(len(whole)))
    pull_candidate(registry, name, local)
    assert (local / name / "model.zip").read_bytes() == whole


def test_a_manifest_of_another_candidate_comes_alone_for_the_rollout_to_reject(
    remote: Path, registry: Registry, tmp_path: Path
) -> None:
    name = write_candidate(remote, PIPELINE, 1)
    (remote / name).rename(remote / version(2))
    pull_candidate(registry, version(2), tmp_path / "local")
    assert [path.name for path in (tmp_path / "local" / version(2)).iterdir()] == [MANIFEST]


@given(content=damaged(version(1)))
@settings(max_examples=60, deadline=None)
def test_whatever_a_manifest_is_it_comes_as_it_is_or_its_files_with_it(content: bytes) -> None:
    with TemporaryDirectory() as folder:
        remote, local = Path(folder) / "registry", Path(folder) / "local"
        name = write_candidate(remote, PIPELINE, 1)
        (remote / name / MANIFEST).write_bytes(content)
        registry = Registry(f"file://{remote}")
        try:
            pull_candidate(registry, name, local)
        except PullError:  # it names a file that is not there, or of another length
            assert missing(registry, local) == [name]
            return
        assert (local / name / MANIFEST).read_bytes() == content
        assert missing(registry, local) == []


def test_a_candidate_that_cannot_be_copied_does_not_hold_up_the_others(remote: Path, tmp_path: Path) -> None:
    places = Places(tmp_path, {"HOTPATH_HDFS": f"file://{tmp_path}"})
    remote = Path(places.registry("p").removeprefix("file://"))
    older, newest = (write_candidate(remote, PIPELINE, number) for number in (1, 2))
    (remote / newest / "model.zip").write_bytes(b"")
    with pytest.raises(PullError, match=r"model\.zip came with 0 bytes"):
        pull_pipeline(places, "p")
    local = places.onprem_folder("p") / "candidates"
    assert [path.parent.name for path in local.glob("*/manifest.json")] == [older]


def test_a_candidate_that_stays_damaged_is_left_to_the_rollout_to_reject(tmp_path: Path) -> None:
    places = Places(tmp_path, {"HOTPATH_HDFS": f"file://{tmp_path}"})
    remote = Path(places.registry("p").removeprefix("file://"))
    without, cut = (write_candidate(remote, PIPELINE, number) for number in (1, 2))
    (remote / without / "model.zip").unlink()
    (remote / cut / "reference.jsonl").write_bytes(b"{")
    local, damaged = places.onprem_folder("p") / "candidates", Counter[str]()
    for _ in range(MOST_TRIES):
        assert not list(local.glob("*/manifest.json"))
        with pytest.raises(PullError, match=r"reference\.jsonl came with 1 bytes"):
            pull_pipeline(places, "p", damaged)
    pull_pipeline(places, "p", damaged)
    assert sorted(path.parent.name for path in local.glob("*/manifest.json")) == [without, cut]
    for name, file in ((without, "model.zip"), (cut, "reference.jsonl")):
        with pytest.raises(Refused, match=file.replace(".", r"\.")):
            admit(local / name, tmp_path / "bundle")


def test_rejected_candidates_with_names_of_the_future_crowd_out_no_other(
    remote: Path, registry: Registry, tmp_path: Path
) -> None:
    real, local = write_candidate(remote, PIPELINE, 1), tmp_path / "local"
    damaged_ones = [version(10 + number) for number in range(2 * KEEP)]
    for name in damaged_ones:
        (remote / name).mkdir()
        (remote / name / MANIFEST).touch()
    assert real not in missing(registry, local)
    states = ModelStates({name: ModelState(name, "rejected", False, "r", "", "", None) for name in damaged_ones})
    assert real in missing(registry, local, rejected(states))
    for name in (real, *damaged_ones):
        pull_candidate(registry, name, local)
    assert superfluous(local, states) == damaged_ones[:KEEP]


def test_only_the_newest_candidates_come_and_nothing_else_of_the_registry(
    remote: Path, registry: Registry, tmp_path: Path
) -> None:
    for number in range(KEEP + 2):
        (remote / version(number)).mkdir(parents=True)
        (remote / version(number) / "manifest.json").touch()
    (remote / "zz-by-hand").mkdir()
    (remote / "zz-by-hand" / "manifest.json").touch()
    assert missing(registry, tmp_path) == [version(number) for number in range(KEEP + 1, 1, -1)]


def test_a_local_candidate_that_is_half_dropped_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_: Path) -> None:
        raise OSError("the disk went away")

    name = write_candidate(tmp_path, PIPELINE, 1)
    monkeypatch.setattr(shutil, "rmtree", fails)
    with pytest.raises(OSError, match="went away"):
        drop(tmp_path, name)
    assert not (tmp_path / name / "manifest.json").exists()


@pytest.mark.parametrize("name", ["../escape", "/etc/passwd", ".hidden", ""])
def test_a_manifest_cannot_name_a_file_outside_its_folder(
    remote: Path, registry: Registry, tmp_path: Path, name: str
) -> None:
    candidate = write_candidate(remote, PIPELINE, 1)
    path = remote / candidate / "manifest.json"
    manifest = json.loads(path.read_text())
    path.write_text(json.dumps(manifest | {"files": manifest["files"] | {name: {"sha256": "0" * 64, "bytes": 0}}}))
    pull_candidate(registry, candidate, tmp_path / "local")
    assert [path.name for path in tmp_path.glob("local/**/*") if path.is_file()] == [MANIFEST], "the manifest alone"


def test_old_local_candidates_go_but_never_the_champion_or_the_pinned_one(tmp_path: Path) -> None:
    versions = [version(number) for number in range(KEEP + 4)]
    for name in versions:
        (tmp_path / name).mkdir()
    champion = ModelState(versions[0], "champion", False, "rollout", "", "", None)
    pinned = ModelState(versions[2], "retired", True, "ann", "", "", None)
    old = superfluous(tmp_path, ModelStates({champion.version: champion, pinned.version: pinned}))
    assert old == [versions[1], versions[3]]
    drop(tmp_path, versions[1])
    assert not (tmp_path / versions[1]).exists()


def test_without_a_name_node_it_counts_its_failures_and_still_ends_when_told() -> None:
    with HotHost() as host:
        metrics_port = free_port()
        only_hdfs = {"HOTPATH_HDFS": "hdfs://127.0.0.1:1", "HOTPATH_ONPREM_KAFKA": ""}
        pull = host.start("-m", "serving.candidates.pull", env=only_hdfs | {"HOTPATH_METRICS_PORT": str(metrics_port)})
        host.waits(lambda: "cannot pull now, trying again pipeline=p" in host.said(), "the failure is told")
        text = httpx.get(f"http://127.0.0.1:{metrics_port}/metrics").text
        assert 'hotpath_pull_failures_total{pipeline="p"}' in text
        pull.terminate()
        assert pull.wait(10) == 0
