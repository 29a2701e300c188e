"""What a reset deletes: listed first, each with how to do it, in the order in which it is done.

What lies elsewhere (HDFS, topics) goes before what lies in the data folder: after a failure the same command finds the
rest.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
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
from streaming.kafka.delete_topics import OwnTopics, own_topics
from streaming.kafka.topic_notes import read_notes
from streaming.kafka.topic_rules import SideName
from streaming.lake.filesystem import file_system
from streaming.progress.forget_topics import traces_of

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
    topics = _every_topic(settings)
    own = {side: _own(places, side, False, topics) for side in SIDES if side not in started_kafkas(settings)}
    found += [deletion for each in own.values() for deletion in _topics(each)]
    if "cloud" in own:
        found += _traces(places, _without_staying(topics, own))
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
    own = {side: _own(places, side, side in started_kafkas(settings), topics) for side in SIDES}
    found = [*_hdfs(places, name), *(deletion for each in own.values() for deletion in _topics(each))]
    return [*found, *_traces(places, _without_staying(topics, own)), *_local(settings, name)]


def _every_topic(settings: Settings) -> list[str]:
    """Those that hotpath noted, and those of the pipelines."""
    pipelines = [each.pipeline for each in (*deployments(settings), *removed(settings))]
    noted = _reach("the notes of topics", lambda: read_notes(settings.folder.made_topics))
    return sorted({note.topic for note in noted} | {topic for each in pipelines for topic in each.mirrored_topics})


def _without_staying(topics: list[str], own: Mapping[SideName, OwnTopics]) -> list[str]:
    """The topics without those that stay on both sides: what the mirror has carried of them stays carried."""
    stays = {side: each.others for side, each in own.items()}
    return [topic for topic in topics if not all(topic in stays.get(side, ()) for side in SIDES)]


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


def _own(places: Places, side: SideName, started: bool, names: list[str]) -> OwnTopics:
    return _reach(f"the {side} Kafka", lambda: own_topics(places, side, started, names))


def _topics(own: OwnTopics) -> list[Deletion]:
    if not own.names:
        return []
    return [Deletion(f"topics of the {own.side} Kafka at {own.kafka.bootstrap}: {', '.join(own.names)}", own.delete)]


def _traces(places: Places, topics: list[str]) -> list[Deletion]:
    """How far the mirror had come with the topics, and what was lost of them: a topic of the same name begins anew."""
    traces = _reach("the cloud Kafka", lambda: traces_of(places, topics))
    if not traces.records:
        return []
    where = " and ".join(sorted({trace.topic for trace in traces.records}))
    what = f"{len(traces.records)} records of {where} in the cloud Kafka at {places.cloud.bootstrap} about its topics"
    return [Deletion(what, lambda: traces_of(places, topics).forget())]


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
