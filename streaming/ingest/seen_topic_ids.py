"""The ids of the topics that a query has read, noted in a file: they tell a topic that was made anew meanwhile."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import msgspec

from contract.layout import Kafka
from streaming.kafka.topic_ids import TopicIds
from streaming.lake.filesystem import file_system, write_whole

log = logging.getLogger("topic_ids")


class SeenTopicIds:
    """Of one query. `url` is the file, which is read once and written whenever an id is new."""

    def __init__(self, kafka: Kafka, topics: Sequence[str], url: str) -> None:
        self._asked, self._topics, self._url = TopicIds(kafka), topics, url
        self._noted = _read(url)
        self._now: dict[str, str] = {}

    def made_anew(self) -> set[str]:
        """The topics that are others than those that were noted.

        Raises:
            KafkaException: the cluster is away.
        """
        self._now = self._asked.of(self._topics)
        return {topic for topic, now in self._now.items() if self._noted.get(topic, now) != now}

    def note(self) -> None:
        """What `made_anew` has told is written down and need not be told again."""
        noted = self._noted | self._now
        if noted != self._noted:
            write_whole(self._url, msgspec.json.encode(noted))
            self._noted = noted


def _read(url: str) -> dict[str, str]:
    """Without a file, or with a damaged one, nothing is known: then only offsets tell."""
    files, path = file_system(url)
    try:
        with files.open(path, "rb") as file:
            return msgspec.json.decode(bytes(file.read()), type=dict[str, str])
    except FileNotFoundError:
        return {}
    except msgspec.MsgspecError as error:
        log.error("topic ids do not read, going on without file=%s why=%r", url, str(error))
        return {}
