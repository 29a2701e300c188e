"""The alerts as they stand, what was said of them, and what waits for the webhook; kept in a file.

A restart of the monitor repeats and forgets nothing, and what went meanwhile is resolved.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from threading import RLock
from typing import Final

import msgspec

from contract import metrics
from contract.files import write_durably
from monitoring.alerts.alert_entry import Entry
from monitoring.alerts.alert_messages import Message
from monitoring.alerts.alert_states import AlertStates
from monitoring.alerts.silences import Silence
from monitoring.alerts.telling import Because, messages
from monitoring.judge.alert_rules import Judged, Rule
from monitoring.judge.wording import printable

KEPT: Final = 200
MOST_UNSENT: Final = 1000
SAVED_EVERY_S: Final = 60.0
log = logging.getLogger("monitor")


class Told(msgspec.Struct):
    """A message, and what became of it: waiting, sent, refused, dropped, or shown (there is no webhook)."""

    message: Message
    delivery: str


class Kept(msgspec.Struct):
    """The file."""

    entries: list[Entry] = msgspec.field(default_factory=list)
    told: list[Told] = msgspec.field(default_factory=list)
    unsent: list[Message] = msgspec.field(default_factory=list)


class AlertBook:
    """Any thread may use it: the one that looks updates it, that of the webhook takes what waits."""

    def __init__(self, file: Path, has_webhook: bool) -> None:
        kept = _read(file)
        self._file, self._has_webhook = file, has_webhook
        self._states = AlertStates({entry.key: entry for entry in kept.entries})
        self._unsent: deque[Message] = deque(kept.unsent if has_webhook else ())
        self._told: deque[Told] = deque(kept.told, maxlen=KEPT)
        self._saved_s = 0.0
        self._lock = RLock()

    @property
    def told(self) -> list[Told]:
        """What was said, the newest first."""
        with self._lock:
            return [Told(each.message, each.delivery) for each in self._told]

    @property
    def unsent(self) -> list[Message]:
        """What waits for the webhook, the oldest first; without a webhook nothing does."""
        with self._lock:
            return list(self._unsent)

    def entries(self, *pipelines: str) -> list[Entry]:
        """What is not ok of these pipelines, and what has resolved lately."""
        with self._lock:
            return self._states.of(*pipelines)

    def firing(self, *pipelines: str) -> list[Entry]:
        with self._lock:
            return self._states.firing(*pipelines)

    def update(
        self,
        now_s: float,
        judged: Mapping[str, Sequence[Judged]],
        deployed: Collection[str],
        silences: Sequence[Silence] = (),
        because: Because = lambda rule, entries: (),
    ) -> None:
        """Take a turn. `judged`: by pipeline; of a deployed one that is not among them nothing is known."""
        with self._lock:
            before = {each.key: msgspec.structs.replace(each) for each in self._states.entries.values() if each.is_told}
            fired = {key: entry for key, entry in before.items() if entry.state == "firing"}
            has_moved = self._states.update(now_s, judged, deployed)
            rules: dict[tuple[str, str], Rule] = {
                (pipeline, each.rule.name): each.rule for pipeline, found in judged.items() for each in found
            }
            said = messages(self._states, fired, rules, silences, because, now_s)
            for each in said:
                self._say(each)
            if has_moved or said or now_s >= self._saved_s + SAVED_EVERY_S:
                self._saved_s = now_s
                self.save()

    def say(self, message: Message) -> None:
        """A message that no state asks for, such as a test."""
        with self._lock:
            self._say(message)
            self.save()

    def mark(self, message: Message, delivery: str) -> None:
        """It waits no longer. Meanwhile it may have been dropped already, as the oldest of too many."""
        with self._lock:
            if self._unsent and self._unsent[0] is message:
                self._unsent.popleft()
                self._note(message, delivery)
                self.save()

    def save(self) -> None:
        """Write the file; a disk that refuses is logged and counted, and costs what a restart then repeats."""
        with self._lock:
            kept = Kept(list(self._states.entries.values()), list(self._told), list(self._unsent))
            try:
                write_durably(self._file, msgspec.json.encode(kept))
            except OSError as error:
                metrics.PROBLEMS.labels(part="monitor").inc()
                log.error("alerts not written file=%s error=%r", self._file, str(error))

    def _say(self, message: Message) -> None:
        log.warning(
            "alert state=%s severity=%s pipeline=%s code=%s explains=%d text=%r",
            message.state,
            message.severity,
            message.pipeline,
            printable(message.code),
            len(message.explains),
            message.text,
        )
        self._told.appendleft(Told(message, "waiting" if self._has_webhook else "shown"))
        if not self._has_webhook:
            return
        if len(self._unsent) >= MOST_UNSENT:
            dropped = self._unsent.popleft()
            metrics.ALERTS_DROPPED.labels(why="too_many").inc()
            log.error("alert dropped, since %d wait for the webhook dropped=%s", MOST_UNSENT, dropped)
            self._note(dropped, "dropped")
        self._unsent.append(message)

    def _note(self, message: Message, delivery: str) -> None:
        for each in self._told:
            if each.message.id == message.id and message.id:
                each.delivery = delivery


def _read(file: Path) -> Kept:
    """A damaged file is logged; it is replaced by the next alert. Of an earlier version's only what waits is taken."""
    try:
        return msgspec.json.decode(file.read_bytes(), type=Kept)
    except FileNotFoundError:
        return Kept()
    except (OSError, msgspec.MsgspecError, ValueError, RecursionError) as error:
        metrics.PROBLEMS.labels(part="monitor").inc()
        log.error("alerts not read, starting with none file=%s error=%r", file, str(error))
        return Kept()
