"""What is said of an alert: to the webhook as plain JSON or in Slack's shape, in the log, on the page."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final, Literal, TypeAlias
from uuid import uuid4

import msgspec

from contract.timestamps import rfc3339
from monitoring.alerts.alert_entry import Entry, combined
from monitoring.judge.alert_rules import Rule
from monitoring.judge.wording import in_words

MessageState: TypeAlias = Literal["firing", "resolved", "test"]
Format: TypeAlias = Literal["json", "slack"]
MOST_NAMED: Final = 20
log = logging.getLogger("monitor")


class Message(msgspec.Struct, frozen=True):
    """One message. `code` is stable: alert, or alert:item. Moments are RFC 3339; `command` looks closer."""

    pipeline: str
    code: str
    state: MessageState
    text: str
    when: str
    command: str = ""
    alert: str = ""
    severity: str = ""
    since: str = ""
    value: float | None = None
    low: float | None = None
    high: float | None = None
    count: float | None = None
    threshold: float | None = None
    side: str = ""
    unit: str = ""
    items: tuple[str, ...] = ()
    """The hosts, topics, parts, ... that it is about."""
    because: tuple[str, ...] = ()
    """Slices, hosts, features and people who hold a version that explain it, in sentences."""
    explains: tuple[str, ...] = ()
    """Other alerts that this one explains, and which are not told by themselves."""
    meaning: str = ""
    remedy: str = ""
    id: str = ""


def message(
    rule: Rule,
    entries: Sequence[Entry],
    state: MessageState,
    now_s: float,
    explains: Sequence[Entry] = (),
    because: Sequence[str] = (),
) -> Message:
    """Of the entries of one alert and one pipeline, together."""
    said, worst = combined(entries), max(entries, key=lambda entry: abs((entry.value or 0) - (entry.threshold or 0)))
    return Message(
        pipeline=worst.pipeline,
        code=said.code,
        state=state,
        text=said.text,
        when=moment(now_s),
        command=said.command,
        alert=rule.name,
        severity=rule.severity,
        since=moment(min(entry.fired_s or entry.began_s for entry in entries)),
        value=worst.value,
        low=worst.low,
        high=worst.high,
        count=worst.count,
        threshold=worst.threshold,
        side=rule.side,
        unit=rule.measure.unit,
        items=said.items[:MOST_NAMED],
        because=tuple(because),
        explains=tuple(_named(entry) for entry in explains[:MOST_NAMED]),
        meaning=rule.meaning,
        remedy=rule.remedy,
        id=uuid4().hex[:12],
    )


def trial_message(rule: Rule, pipeline: str, who: str, identity: str, now_s: float) -> Message:
    """A message that says that it is a test."""
    return Message(
        pipeline=pipeline,
        code=rule.name,
        state="test",
        text=f"this is a test of the alert {rule.name}, sent by {who}: nothing is wrong",
        when=moment(now_s),
        command=rule.command.replace("{pipeline}", pipeline).replace("{item}", "PART"),
        alert=rule.name,
        severity=rule.severity,
        since=moment(now_s),
        threshold=rule.threshold,
        side=rule.side,
        unit=rule.measure.unit,
        meaning=rule.meaning,
        remedy=rule.remedy,
        id=identity,
    )


def moment(time_s: float) -> str:
    return rfc3339(datetime.fromtimestamp(time_s, UTC))


def _named(entry: Entry) -> str:
    of = f"{entry.pipeline}: " if entry.pipeline else ""
    return f"{of}{entry.code}: {entry.text}"


def how_bad(told: Message) -> str:
    """Value, threshold and interval in words; empty where there is no number worth telling."""
    if told.value is None or told.threshold is None or (told.threshold == 0 and told.unit not in ("s", "bytes")):
        return ""
    interval = ""
    if told.low is not None and told.high is not None:
        interval = f" (90 % interval {_shown(told.low, told.unit)} to {_shown(told.high, told.unit)})"
    return f"{_shown(told.value, told.unit)}{interval}; the limit is {told.side} {_shown(told.threshold, told.unit)}"


def _shown(value: float, unit: str) -> str:
    if unit == "s":
        return in_words(value)
    if unit == "bytes":
        return f"{value / 1e9:,.3g} GB"
    return f"{value:.2%}" if unit == "share" else f"{value:,.4g}"


def payload(told: Message, kind: Format) -> dict[str, Any]:
    """The body of the post."""
    return {"text": _as_slack(told)} if kind == "slack" else msgspec.to_builtins(told) | {"how_bad": how_bad(told)}


def _as_slack(told: Message) -> str:
    """Slack's own markup; what comes from outside is escaped as Slack asks."""
    head = {"firing": f"{told.severity or 'alert'}", "resolved": "resolved", "test": "test"}[told.state]
    lines = [f"*[{head}] {_plain(told.pipeline or 'hotpath')}: {_plain(told.text)}*"]
    since = f"since {told.since}" if told.since else ""
    lines += [_plain(part) for part in (since, how_bad(told)) if part]
    lines += [f"• because: {_plain(each)}" for each in told.because]
    lines += [f"• explains: {_plain(each)}" for each in told.explains]
    if told.state != "resolved":
        lines += [f"{name}: {_plain(text)}" for name, text in (("What to do", told.remedy),) if text]
        lines += [f"Look closer: `{_plain(told.command)}`"] if told.command else []
    return "\n".join(lines)


def _plain(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
