"""What a reset deletes: listed first, each with how to do it, in the order in which it is done.

What lies elsewhere (HDFS, topics) goes before what lies in the data folder: after a failure the same command finds the
rest.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from contract import variables
from contract.data_folder import DataFolder
from contract.files import write_durably
from contract.layout import Places
from contract.pipeline import Pipeline
from infra.ports import Ports
from infra.settings import Settings
from infra.stack import control_socket
from infra.stack.deployments import Deployment, deployments, removed, unreadable
from infra.stack.part_environment import environment, is_local, started_kafkas
from streaming.kafka.delete_topics import own_topics
from streaming.kafka.topic_rules import SideName
from streaming.lake.filesystem import file_system

T = TypeVar("T")

SIDES: tuple[SideName, ...] = ("onprem", "cloud")


class DeletionFailed(Exception):
    """Something could not be reached or deleted; the message says what, and what to do."""


@dataclass(frozen=True)
class Deletion:
    """One thing that goes: in words, and how."""

    what: str
    act: Callable[[], None]

    def do(self) -> None:
        """Delete it.

        Raises:
            DeletionFailed: it cannot be reached, or refuses.
        """
        _reach(f"{self.what} could not be deleted", self.act)


def engines_that_do_not_run(settings: Settings) -> list[str]:
    """The engines that `up` would start and that hold data, where no stack runs."""
    if control_socket.is_running(settings.control):
        return []
    ours = [f"the {side} Kafka" for side in started_kafkas(settings)]
    return [*ours, "HDFS"] if is_local(settings, variables.HDFS) else ours


def of_everything(settings: Settings) -> list[Deletion]:
    """The data folder, and in engines of the team's own what hotpath made there.

    Raises:
        DeletionFailed: such an engine does not answer.
    """
    places, found = _places(settings), list[Deletion]()
    if not is_local(settings, variables.HDFS):
        for name in (*settings.deployed_names(), *settings.removed_names()):
            found += _hdfs(places, name)
    for side in SIDES:
        if side not in started_kafkas(settings):
            found += _topics(places, side, started=False)
    return [*found, _tree(settings.data, "events, rows, models, keys")]


def of_pipeline(settings: Settings, gone: Deployment) -> list[Deletion]:
    """All of one pipeline. Its engines must answer.

    Raises:
        DeletionFailed: one does not answer, or the file of another pipeline does not load.
    """
    name, places = gone.pipeline.name, _places(settings)
    if broken := unreadable(settings):
        raise DeletionFailed(f"which topics other pipelines share with {name} is not known: {'; '.join(broken)}")
    others = [each.pipeline for each in (*deployments(settings), *removed(settings)) if each.pipeline.name != name]
    topics = _topics_of_it_alone(gone.pipeline, others)
    found = _hdfs(places, name)
    for side in SIDES:
        found += _topics(places, side, side in started_kafkas(settings), topics)
    return [*found, *_local(settings, name)]


def _topics_of_it_alone(pipeline: Pipeline, others: list[Pipeline]) -> list[str]:
    """Its topics without those that another pipeline uses as well."""
    used = {topic for other in others for topic in other.mirrored_topics}
    own = (*pipeline.mirrored_topics, pipeline.commands_topic)
    return [topic for topic in dict.fromkeys(own) if topic not in used]


def _places(settings: Settings) -> Places:
    return Places.from_environment(environment(settings, Ports.of(settings), []))


def _hdfs(places: Places, pipeline: str) -> list[Deletion]:
    url = places.root(pipeline)
    files, path = file_system(url)
    if not _reach(f"HDFS at {places.hdfs}", lambda: files.exists(path)):
        return []
    return [Deletion(f"{url}: tables, checkpoints, candidates", lambda: files.rm(path, recursive=True))]


def _topics(places: Places, side: SideName, started: bool, names: list[str] | None = None) -> list[Deletion]:
    own = _reach(f"the {side} Kafka", lambda: own_topics(places, side, started, names))
    if not own.names:
        return []
    return [Deletion(f"topics of the {side} Kafka at {own.kafka.bootstrap}: {', '.join(own.names)}", own.delete)]


def _local(settings: Settings, pipeline: str) -> Iterator[Deletion]:
    folder = settings.folder
    if folder.of_pipeline(pipeline).exists():
        yield _tree(folder.of_pipeline(pipeline), "candidates, bundles, states of models")
    for file in (*folder.replay.glob(f"{pipeline}.*"), *folder.files_of_logs(pipeline)):
        yield Deletion(str(file), file.unlink)
    names = [f"scorer:{pipeline}", f"metrics:rollout-{pipeline}", f"metrics:replay-{pipeline}"]
    yield Deletion(f"the ports of {pipeline}", lambda: Ports.of(settings).forget(names))
    yield Deletion(f"the pipeline file of {pipeline}", lambda: _forget(folder, pipeline))


def _forget(folder: DataFolder, pipeline: str) -> None:
    """The files of its deployment go, the mark of the reset comes first: parts that run may look in between."""
    write_durably(folder.reset_mark(pipeline), b"")
    for file in reversed(folder.files_of_deployment(pipeline)):
        file.unlink(missing_ok=True)
        (folder.removed_pipelines / file.name).unlink(missing_ok=True)


def _tree(folder: Path, what: str) -> Deletion:
    return Deletion(f"the folder {folder}: {what}", lambda: shutil.rmtree(folder))


def _reach(what: str, call: Callable[[], T]) -> T:
    try:
        return call()
    except (OSError, RuntimeError) as error:
        raise DeletionFailed(f"{what}: {error}") from error
