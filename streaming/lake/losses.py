"""Records that are lost: nobody can read them any more, since retention took them or their topic was made anew.

Each loss is a file in the pipeline's folder in HDFS. The streaming process writes it before it closes a bucket that
the loss could touch; the trainer, the status and `hotpath losses` read it. Questions and labels may be missing in the
buckets around a loss: they leave windows and holdouts until somebody says that they are to be used.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from contract.layout import Places
from contract.messages.codec import Message, Unreadable, decode, encode
from contract.messages.progress import LossNotice
from contract.pipeline import Pipeline
from contract.timestamps import rfc3339_of_us
from streaming.lake.filesystem import file_system, write_whole


class UnknownLoss(LookupError):
    """The pipeline has no loss of that id."""


class Loss(Message, frozen=True, kw_only=True):
    """The file of a loss: what was found, and what a person said of it."""

    id: str
    found: LossNotice
    acknowledged_by: str | None = None
    acknowledged_ms: int | None = None
    use: bool = False
    """Whether the buckets around it may be trained on."""

    @property
    def is_acknowledged(self) -> bool:
        return self.acknowledged_ms is not None

    @property
    def sentence(self) -> str:
        """What was lost, for a log line or a page."""
        lost = self.found
        count = "an unknown number of" if lost.count is None else f"at most {lost.count:,}"
        after = "the beginning" if lost.after_ms is None else rfc3339_of_us(lost.after_ms * 1000)
        before = rfc3339_of_us(lost.before_ms * 1000)
        return f"{count} records of {lost.topic}/{lost.partition} were lost between {after} and {before} ({lost.where})"


def record_loss(places: Places, pipeline: str, found: LossNotice) -> bool:
    """Write a loss down; whether it was new. One that is there stays as it is."""
    url = _file(places, pipeline, found.id)
    files, path = file_system(url)
    if files.exists(path):
        return False
    files.makedirs(path.rpartition("/")[0], exist_ok=True)
    write_whole(url, encode(Loss(id=found.id, found=found)))
    return True


@dataclass(frozen=True)
class StoredLosses:
    """Every loss of a pipeline, the oldest first; and the files that do not read, each with the reason, by id."""

    losses: tuple[Loss, ...]
    damaged: Mapping[str, str]

    def told(self) -> str:
        """The damaged files in words."""
        return "; ".join(self.damaged.values())


def stored_losses(places: Places, pipeline: str) -> StoredLosses:
    """What is written down.

    Raises:
        OSError: HDFS does not answer.
    """
    url = places.losses(pipeline)
    files, folder = file_system(url)
    if not files.exists(folder):
        return StoredLosses((), {})
    found, damaged = list[Loss](), dict[str, str]()
    for path in (str(each) for each in files.ls(folder, detail=False)):
        if not path.endswith(".json"):
            continue
        name = path.rsplit("/", 1)[-1]
        try:
            found.append(decode(files.cat_file(path), Loss))
        except Unreadable as error:
            loss_id = name.removesuffix(".json")
            remedy = f"once you have looked at it: hotpath losses acknowledge {loss_id} --use --pipeline {pipeline}"
            damaged[loss_id] = f"the loss {url}/{name} does not read ({error}); {remedy}"
    return StoredLosses(tuple(sorted(found, key=lambda loss: (loss.found.at_ms, loss.id))), damaged)


def read_losses(places: Places, pipeline: str) -> tuple[Loss, ...]:
    """Every loss of a pipeline, the oldest first.

    Raises:
        OSError: HDFS does not answer.
        Unreadable: a file is damaged, so that not all losses are known.
    """
    stored = stored_losses(places, pipeline)
    if stored.damaged:
        raise Unreadable(stored.told())
    return stored.losses


def acknowledge(places: Places, pipeline: str, loss_id: str, who: str, at: datetime, use: bool) -> Loss | None:
    """Note that somebody knows of it and, with `use`, that its buckets may be trained on.

    A damaged one says nothing: with `use` its file is removed, and None is returned.

    Raises:
        UnknownLoss: there is none of that id, or it is damaged and is not to be used.
    """
    stored = stored_losses(places, pipeline)
    if loss_id in stored.damaged:
        _discard(places, pipeline, loss_id, stored.damaged[loss_id], use)
        return None
    loss = next((loss for loss in stored.losses if loss.id == loss_id), None)
    if loss is None:
        raise UnknownLoss(f"{pipeline} has no loss {loss_id}; `hotpath losses list` shows all")
    at_ms = round(at.timestamp() * 1000)
    noted = msgspec.structs.replace(loss, acknowledged_by=who, acknowledged_ms=at_ms, use=loss.use or use)
    write_whole(_file(places, pipeline, loss_id), encode(noted))
    return noted


def _discard(places: Places, pipeline: str, loss_id: str, why: str, use: bool) -> None:
    if not use:
        raise UnknownLoss(why)
    files, path = file_system(_file(places, pipeline, loss_id))
    files.rm(path)


def excluded_buckets(places: Places, pipeline: Pipeline) -> tuple[tuple[int, int], ...]:
    """Ranges [from, to) of buckets, in seconds since 1970, that windows and holdouts must leave out.

    A bucket of `due` is left out when a question of it, or a label of such a question, may be among the lost records.

    Raises:
        OSError, Unreadable: the losses are not known; nothing may be trained.
    """
    topics = (pipeline.events.topic, pipeline.label.topic)
    lost = [loss.found for loss in read_losses(places, pipeline.name) if not loss.use]
    return tuple(buckets_around(notice, pipeline) for notice in lost if notice.topic in topics)


def buckets_around(lost: LossNotice, pipeline: Pipeline) -> tuple[int, int]:
    """The range [from, to) of the buckets of `due` in [A - max_wait - max_late, B + max_wait] of a loss from A to B.

    Where A is not known, everything that the tables keep may have lost records.
    """
    label, length_s = pipeline.label, pipeline.lake.buckets // timedelta(seconds=1)
    end_s = lost.before_ms / 1000 + label.max_wait.total_seconds()
    if lost.after_ms is None:
        start_s = end_s - pipeline.lake.retention.total_seconds()
    else:
        start_s = lost.after_ms / 1000 - (label.max_wait + label.max_late).total_seconds()
    return math.floor(start_s / length_s) * length_s, (math.floor(end_s / length_s) + 1) * length_s


def _file(places: Places, pipeline: str, loss_id: str) -> str:
    return f"{places.losses(pipeline)}/{loss_id}.json"
