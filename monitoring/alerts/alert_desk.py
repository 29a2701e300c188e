"""The alerts of a turn: judged by their rules, kept in the book, sent, shown as rows and as a series."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from threading import Event

from contract import metrics, variables
from contract.layout import Places
from contract.pipeline import Pipeline
from contract.process_end import VitalThread
from monitoring.alerts.alert_book import AlertBook, Told
from monitoring.alerts.alert_entry import OF_THE_STACK, Entry, problems_of
from monitoring.alerts.alert_explanations import explanations
from monitoring.alerts.alert_messages import Format, trial_message
from monitoring.alerts.alert_rows import AlertRow, numbers_of, rows_of
from monitoring.alerts.alert_trials import take_requests
from monitoring.alerts.silences import read_silences
from monitoring.alerts.webhook import Webhook
from monitoring.judge.alert_rules import Judged, Rule, rules_of, stack_rules
from monitoring.judge.model_health import OfLevel
from monitoring.judge.stage import Problem

log = logging.getLogger("monitor")


@dataclass(frozen=True)
class Rules:
    """All alerts of a turn: the stack's, and by pipeline."""

    of_stack: Sequence[Rule]
    of: Mapping[str, Sequence[Rule]]

    @classmethod
    def for_pipelines(cls, pipelines: Sequence[Pipeline]) -> Rules:
        return cls(stack_rules(pipelines), {pipeline.name: rules_of(pipeline) for pipeline in pipelines})

    def for_one(self, pipeline: str) -> Sequence[Rule]:
        return self.of_stack if pipeline == OF_THE_STACK else self.of.get(pipeline, ())

    def all(self) -> Iterator[Rule]:
        yield from self.of_stack
        for rules in self.of.values():
            yield from rules


class AlertDesk:
    """`take` every turn; `by_slice` gives a pipeline's realised figures by slice, which explain an alert."""

    def __init__(self, places: Places, by_slice: Callable[[str], Iterable[OfLevel]]) -> None:
        address = places.webhook if places.environment.get(variables.ALERTS) != "grafana" else None
        kind: Format = "slack" if places.environment.get(variables.WEBHOOK_FORMAT) == "slack" else "json"
        self._webhook = Webhook(address, kind=kind) if address else None
        self._book = AlertBook(places.folder.monitor_alerts, has_webhook=self._webhook is not None)
        self._folder, self._by_slice = places.folder, by_slice
        self._asked_to_end = Event()
        if places.environment.get(variables.ALERTS) != "webhook" and places.influx is None:
            log.error(
                "%s asks for Grafana's alerts, and no InfluxDB is named: none are sent by it", variables.ALERTS.name
            )

    @property
    def told(self) -> list[Told]:
        """What was said, the newest first."""
        return self._book.told

    def firing(self, pipeline: str) -> list[Entry]:
        return self._book.firing(pipeline)

    def problems(self, pipeline: str) -> list[tuple[str, Problem]]:
        """What fires, each with its stage."""
        return problems_of(self._book.firing(pipeline))

    def take(self, rules: Rules, judged: Mapping[str, Sequence[Judged]], now_s: float) -> list[AlertRow]:
        """A turn: what has changed is said. Gives every alert as it stands, the stack's first."""
        silences = read_silences(self._folder.silences, now_s)
        self._book.update(now_s, judged, rules.of.keys(), silences, self._because)
        self._send_trials(rules, now_s)
        rows = []
        for name in (OF_THE_STACK, *rules.of):
            own, others = self._book.entries(name), self._book.entries(name, OF_THE_STACK)
            rows += rows_of(name, rules.for_one(name), judged.get(name, ()), own, others, silences, now_s)
        metrics.ALERT_STATE.replace(numbers_of(rows))
        return rows

    def start_sending(self) -> None:
        """In a thread of its own, until `end`."""
        if self._webhook:
            send = partial(self._webhook.keep_sending, self._book, self._asked_to_end)
            VitalThread("webhook", send, self._asked_to_end).start()

    def end(self) -> None:
        """Send no more."""
        self._asked_to_end.set()

    def _because(self, rule: Rule, entries: Sequence[Entry]) -> list[str]:
        pipeline = entries[0].pipeline
        return explanations(rule, self._by_slice(pipeline), self._book.firing(pipeline))

    def _send_trials(self, rules: Rules, now_s: float) -> None:
        """Test messages that somebody has asked for."""
        for request in take_requests(self._folder.alert_tests):
            rule = next((each for each in rules.for_one(request.pipeline) if each.name == request.alert), None)
            if rule is None:
                log.error("no alert to test alert=%s pipeline=%s", request.alert, request.pipeline)
                continue
            self._book.say(trial_message(rule, request.pipeline, request.who, request.id, now_s))
