"""The durable note of topics that hotpath made, or was told to adopt, in clusters that it did not start.

hotpath changes and removes only topics that it made. A topic is known by its cluster and its id: one that was deleted
and made again by somebody else under the same name is somebody else's.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import msgspec

from contract.files import write_durably
from contract.messages.codec import Message, Unreadable, decode, encode
from contract.timestamps import clock_us, rfc3339_of_us


class TopicNote(msgspec.Struct, frozen=True):
    """One topic: `cluster` is the cluster's id, `topic_id` the topic's, `how` it became known, `at` when."""

    cluster: str
    topic: str
    topic_id: str
    how: Literal["made", "adopted"]
    at: str


class TopicNotes(Message, frozen=True, kw_only=True):
    """The content of the file `DataFolder.made_topics`."""

    topics: tuple[TopicNote, ...] = ()


class NotesUnreadable(RuntimeError):
    """The file does not read: which topics hotpath made is not known."""


def read_notes(file: Path) -> tuple[TopicNote, ...]:
    """Every note; none where there is no file.

    Raises:
        NotesUnreadable: naming the file and the remedy.
    """
    try:
        return decode(file.read_bytes(), TopicNotes).topics
    except FileNotFoundError:
        return ()
    except Unreadable as error:
        remedy = "restore it, or remove it: the topics that hotpath made are then treated as your own"
        raise NotesUnreadable(f"{file} does not read ({error}); {remedy}") from error


def made_ids(file: Path, cluster: str) -> set[str]:
    """The ids of the topics that hotpath made in this cluster."""
    return {note.topic_id for note in read_notes(file) if note.cluster == cluster and note.how == "made"}


def add_notes(file: Path, cluster: str, topics: Iterable[tuple[str, str]], how: Literal["made", "adopted"]) -> None:
    """Note topics, given as name and id; one that is noted already keeps its note."""
    notes = read_notes(file)
    known = {(note.cluster, note.topic_id) for note in notes}
    new = [
        TopicNote(cluster, name, id_, how, rfc3339_of_us(clock_us()))
        for name, id_ in topics
        if (cluster, id_) not in known
    ]
    if new:
        write_durably(file, encode(TopicNotes(topics=(*notes, *new))))
