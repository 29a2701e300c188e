"""Topics of a Kafka that `up` does not start: compared with what hotpath needs before anything is started."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from contract.layout import Places
from contract.pipeline import Pipeline
from infra.ports import Ports
from infra.settings import Settings
from infra.stack.deployments import deployments
from infra.stack.part_environment import environment, started_kafkas
from infra.stack.preflight import Unfit
from streaming.kafka.cluster_admin import TopicsRefused
from streaming.kafka.topic_admin import adopt_topics, check_topics
from streaming.kafka.topic_check import Difference
from streaming.kafka.topic_notes import NotesUnreadable

ADOPT = "--adopt-topics"


def check_team_topics(settings: Settings, files: Sequence[tuple[Path, Pipeline]], adopt: bool) -> list[str]:
    """Lines that tell what differs, or with `adopt` what was changed.

    Raises:
        Unfit: something cannot work, or a broker refuses.
    """
    started = started_kafkas(settings)
    if len(started) == 2:
        return []
    places = Places.from_environment(environment(settings, Ports.of(settings), []))
    try:
        found = check_topics(places, _pipelines(settings, files), started)
        changed = adopt_topics(places, found) if adopt else []
    except (TopicsRefused, NotesUnreadable) as error:
        raise Unfit(str(error)) from error
    return _told(changed, [each for each in found if each not in changed])


def _pipelines(settings: Settings, files: Iterable[tuple[Path, Pipeline]]) -> list[Pipeline]:
    """Those that are deployed already, and those of the files, which may take the place of one."""
    new = {pipeline.name: pipeline for _, pipeline in files}
    deployed = [each.pipeline for each in deployments(settings) if each.pipeline.name not in new]
    return [*deployed, *new.values()]


def _told(changed: Sequence[Difference], left: Sequence[Difference]) -> list[str]:
    """What was changed and what is only worse than it could be; what cannot work is raised."""
    done, how = [f"changed: {each}" for each in changed], _how(left)
    if stopping := [str(each) for each in left if each.stops]:
        first = f"these topics cannot be used as they are{how}:"
        raise Unfit("\n  ".join([first, *stopping, *done]))
    worse = [str(each) for each in left]
    return [*done, *worse, *([f"they are used as they are{how}"] if how else [])]


def _how(left: Sequence[Difference]) -> str:
    if not any(each.settings or each.partitions for each in left):
        return ""
    return f"; run the commands, or let `hotpath up {ADOPT}` change the topics"
