"""ok -> pending -> firing -> resolved, and inconclusive: how the readings of a turn move an alert.

A bad reading makes it pending, and firing once it has been bad for as long as the rule says. It resolves when the
readings have been good again for as long, at most half a minute. An interval around the threshold moves no alert that
fires; else it is inconclusive, which is shown and not sent.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from monitoring.alerts.alert_entry import LONGEST_CALM_S, OF_THE_STACK, SHOWN_RESOLVED_S, Entry, Key, begun
from monitoring.judge.alert_rules import Finding, Judged, Rule


@dataclass
class AlertStates:
    """The entries of all pipelines and of the stack. What is not among them is ok."""

    entries: dict[Key, Entry] = field(default_factory=dict)

    def update(self, now_s: float, judged: Mapping[str, Sequence[Judged]], deployed: Collection[str]) -> bool:
        """Take a turn; whether anything but a reading has changed.

        `judged`: by pipeline. Of a deployed pipeline that is not among them nothing is known, and all stays.
        """
        before = self._places()
        for pipeline, findings in judged.items():
            self._take(pipeline, findings, now_s)
        for entry in list(self.entries.values()):
            if entry.pipeline != OF_THE_STACK and entry.pipeline not in deployed:
                self._end(entry, now_s)
        self._forget(now_s)
        return before != self._places()

    def _places(self) -> dict[Key, tuple[str, bool]]:
        return {key: (entry.state, entry.good_since_s is None) for key, entry in self.entries.items()}

    def of(self, *pipelines: str) -> list[Entry]:
        """The entries of these, in the order in which they began."""
        return [entry for entry in self.entries.values() if entry.pipeline in pipelines]

    def firing(self, *pipelines: str) -> list[Entry]:
        return [entry for entry in self.of(*pipelines) if entry.state == "firing"]

    def _take(self, pipeline: str, findings: Iterable[Judged], now_s: float) -> None:
        rules: dict[str, list[Judged]] = {}
        for each in findings:
            rules.setdefault(each.rule.name, []).append(each)
        for same in rules.values():
            self._take_rule(pipeline, same, now_s)
        for entry in self.of(pipeline):
            if entry.alert not in rules:
                self._end(entry, now_s)  # the rule is off, or is there no more

    def _take_rule(self, pipeline: str, same: Sequence[Judged], now_s: float) -> None:
        """The readings of one rule. Of an item that has none, although others have, nothing is wrong any more."""
        rule = same[0].rule
        seen = {each.item for each in same if each.reading is not None}
        for each in same:
            if each.reading is not None:
                self._move(pipeline, each, each.finding, now_s)
        others = [entry for entry in self.of(pipeline) if entry.alert == rule.name and entry.item not in seen]
        for entry in others:
            gone = Judged(rule, None, "good" if seen else "no_data")
            self._move(pipeline, gone, gone.finding, now_s, entry)
        if not seen and not others and rule.no_data == "firing" and rule.threshold is not None:
            self._move(pipeline, same[0], "bad", now_s)

    def _move(self, pipeline: str, judged: Judged, finding: Finding, now_s: float, entry: Entry | None = None) -> None:
        entry = entry or self.entries.get((pipeline, judged.rule.name, judged.item))
        if finding == "no_data":
            finding_now = {"ok": "good", "firing": "bad", "keep": "no_data"}[judged.rule.no_data]
        else:
            finding_now = finding
        if entry is not None:
            entry.take(judged, pipeline)
        if finding_now == "bad":
            self._is_bad(entry or begun(pipeline, judged, "pending", now_s), judged.rule, now_s)
        elif finding_now == "good" and entry is not None:
            self._is_good(entry, judged.rule, now_s)
        elif finding_now == "inconclusive":
            self._is_inconclusive(entry or begun(pipeline, judged, "inconclusive", now_s), now_s)

    def _is_bad(self, entry: Entry, rule: Rule, now_s: float) -> None:
        self.entries[entry.key] = entry
        entry.good_since_s = None
        if entry.state in ("ok", "resolved", "inconclusive"):
            entry.state, entry.began_s, entry.is_told, entry.freed_s = "pending", now_s, False, None
        if entry.state == "pending" and now_s - entry.began_s >= rule.lasts.total_seconds():
            entry.state, entry.fired_s = "firing", now_s

    def _is_good(self, entry: Entry, rule: Rule, now_s: float) -> None:
        if entry.state in ("pending", "inconclusive"):
            del self.entries[entry.key]
        elif entry.state == "firing":
            entry.good_since_s = now_s if entry.good_since_s is None else entry.good_since_s
            if now_s - entry.good_since_s >= min(rule.lasts.total_seconds(), LONGEST_CALM_S):
                self._end(entry, now_s)

    def _is_inconclusive(self, entry: Entry, now_s: float) -> None:
        self.entries[entry.key] = entry
        entry.good_since_s = None
        if entry.state in ("pending", "resolved"):
            entry.state, entry.began_s = "inconclusive", now_s

    def _end(self, entry: Entry, now_s: float) -> None:
        if entry.state == "firing":
            entry.state, entry.began_s = "resolved", now_s
        elif entry.state != "resolved":
            del self.entries[entry.key]

    def _forget(self, now_s: float) -> None:
        """A monitor's clock that was set back makes nothing that it remembers come from the future."""
        for entry in list(self.entries.values()):
            entry.began_s = min(entry.began_s, now_s)
            if entry.state == "resolved" and now_s - entry.began_s > SHOWN_RESOLVED_S:
                del self.entries[entry.key]
