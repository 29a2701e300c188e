"""`hotpath alerts list|history|test|silence|lift`: how alerts stand, what was said of them, and who wants to hear."""

from __future__ import annotations

import getpass
import json
import sys
import time
from argparse import ArgumentParser, ArgumentTypeError, Namespace, _SubParsersAction
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, Final
from uuid import uuid4

from contract import variables
from contract.alert_catalogue import ALERTS
from contract.pipeline import Pipeline
from contract.variable_types import reachable
from infra.ports import Ports
from infra.settings import Settings
from infra.stack import control_socket
from infra.stack.deployments import DeploymentUnreadable, NoSuchPipeline, deployment
from infra.supervisor.readiness import json_at
from monitoring.alerts.alert_messages import moment
from monitoring.alerts.alert_trials import TrialRequest, ask_for_trial
from monitoring.alerts.silences import Silence, read_silences, write_silences
from monitoring.judge.alert_rules import Rule, rules_of, stack_rules
from monitoring.judge.wording import in_words, printable
from streaming.pipeline_file.diagnostics import did_you_mean
from streaming.pipeline_file.durations import parse_duration

Row = dict[str, Any]
ANSWERS_WITHIN_S: Final = (3.0, 15.0)
"""How long the monitor may take to answer, at the first try and at the second."""
SENT_WITHIN_S: Final = 60.0
NOT_SENT: Final = (
    f"nothing is sent: {variables.WEBHOOK.name} is not set, or {variables.ALERTS.name} is grafana; the page shows it"
)


class NoMonitor(Exception):
    """No monitor answers."""


class NotClear(ValueError):
    """The alert or the pipeline that was named is not there."""


def add_parser(commands: _SubParsersAction[ArgumentParser]) -> None:
    actions = commands.add_parser("alerts").add_subparsers(required=True, metavar="ACTION")
    listing = actions.add_parser("list", help="every alert with its state, value and threshold; exit 1 where one fires")
    listing.set_defaults(act=_list)
    history = actions.add_parser("history", help="the last messages, the newest first, and what became of them")
    history.set_defaults(act=_history)
    for each in (listing, history):
        each.add_argument("--json", action="store_true", help="print JSON")
    test = actions.add_parser("test", help="send a test message the way that all messages go, and wait for it")
    silence = actions.add_parser("silence", help="send no messages about an alert for a while; it is judged and shown")
    lift = actions.add_parser("lift", help="end a silence")
    for each, act in ((test, _test), (silence, _silence), (lift, _lift)):
        each.add_argument("name", metavar="NAME", help="the alert, or alert:item for one host, topic, part, ...")
        each.set_defaults(act=act)
    silence.add_argument("--for", dest="lasts", type=_duration, required=True, metavar="2h", help="how long")
    for each in actions.choices.values():
        each.add_argument("--pipeline", metavar="NAME", help="of this pipeline alone")
        each.set_defaults(run=run)


def _duration(text: str) -> timedelta:
    try:
        lasts = parse_duration(text)
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from None
    if not lasts:
        raise ArgumentTypeError("must be longer than nothing")
    return lasts


def run(args: Namespace) -> int:
    """0 when done, 1 when no monitor answers or an alert fires, 2 when alert or pipeline is not clear."""
    settings = Settings.from_environment()
    try:
        code: int = args.act(args, settings)
        return code
    except (NotClear, NoSuchPipeline) as error:
        print(f"hotpath: {error}", file=sys.stderr)
        return 2
    except (NoMonitor, OSError) as error:
        print(f"hotpath: {error}", file=sys.stderr)
        return 1


def _list(args: Namespace, settings: Settings) -> int:
    rows = [row for row in _status(settings)["alert_states"] if args.pipeline in (None, row["pipeline"])]
    print(json.dumps(rows, indent=1) if args.json else "\n".join(table_of(rows)))
    return int(any(row["state"] == "firing" for row in rows))


def _history(args: Namespace, settings: Settings) -> int:
    told = [each for each in _status(settings)["alerts"] if args.pipeline in (None, each["pipeline"])]
    print(json.dumps(told, indent=1) if args.json else "\n".join(map(line_of, told)) or "nothing was said yet")
    return 0


def table_of(rows: Sequence[Row]) -> list[str]:
    """What is not well first, and what it says."""
    order = ("firing", "silenced", "pending", "inconclusive", "resolved", "no data", "ok", "off")
    ranked = sorted(rows, key=lambda row: order.index(row["state"]))
    head = f"{'state':<13} {'alert':<30} {'pipeline':<14} {'severity':<9} {'value':>22} {'threshold':>16}  since"
    return [head, *(line for row in ranked for line in _lines(row))]


def _lines(row: Row) -> list[str]:
    name = f"{row['alert']}:{printable(row['item'])}" if row["item"] else row["alert"]
    bound = "" if row["threshold"] is None else f"{row['side']} {_number(row['threshold'], row['unit'])}"
    line = (
        f"{row['state']:<13} {name:<30} {row['pipeline'] or 'the stack':<14} {row['severity']:<9} {_value(row):>22} "
        f"{bound:>16}  {row['since'] or ''}"
    ).rstrip()
    if row["silenced_until"]:
        line += f"  silenced by {row['silenced_by']} until {row['silenced_until']}"
    if row["state"] not in ("firing", "silenced", "pending", "inconclusive"):
        return [line]
    why = f" (explained by {row['explained_by']})" if row["explained_by"] else ""
    return [line, f"{'':<13} {_plain(row['text'])}{why}; look with: {_plain(row['command'].removeprefix('./'))}"]


def _plain(text: str) -> str:
    """Without the control characters that a host's name may bring into a terminal."""
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)


def _value(row: Row) -> str:
    if row["value"] is None:
        return ""
    shown = _number(row["value"], row["unit"])
    if row["low"] is None or row["high"] is None:
        return shown
    return f"{shown} ({_number(row['low'], row['unit'])} to {_number(row['high'], row['unit'])})"


def _number(value: float, unit: str) -> str:
    if unit == "s":
        return in_words(value)
    if unit == "bytes":
        return f"{value / 1e9:,.3g} GB"
    return f"{value:.1%}" if unit == "share" else f"{value:,.4g}"


def line_of(told: Row) -> str:
    """One message, with what it explains and what became of it."""
    explains = f"; it explains {len(told['explains'])} more" if told["explains"] else ""
    of = told["pipeline"] or "the stack"
    return f"{told['when']}  {told['state']:<9} {of}: {_plain(told['text'])}{explains}  [{told['delivery']}]"


def _test(args: Namespace, settings: Settings) -> int:
    """Ask the monitor for a message, and wait until the webhook has it or not."""
    alert, _ = _named(args.name, settings)
    pipeline = _pipeline_of(alert, args.pipeline, settings)
    _status(settings)  # no monitor: nothing would take the request up
    request = TrialRequest(uuid4().hex[:12], alert, pipeline, getpass.getuser())
    ask_for_trial(settings.folder.alert_tests, request)
    delivery = _until_told(lambda: _delivery(settings, request.id))
    if delivery == "sent":
        print(f"the webhook has taken a test message of {alert}")
        return 0
    told = {None: "the monitor has not taken the request; look with: hotpath logs monitor", "shown": NOT_SENT}
    waiting = f"the webhook has not taken it within {SENT_WITHIN_S:.0f} s; look with: hotpath logs monitor"
    print(f"hotpath: {told.get(delivery, waiting if delivery == 'waiting' else f'it was {delivery}')}", file=sys.stderr)
    return 1


def _until_told(delivery: Callable[[], str | None]) -> str | None:
    deadline_s = time.monotonic() + SENT_WITHIN_S
    while (found := delivery()) in (None, "waiting") and time.monotonic() < deadline_s:
        time.sleep(0.5)
    return found


def _delivery(settings: Settings, identity: str) -> str | None:
    return next((each["delivery"] for each in _status(settings)["alerts"] if each["id"] == identity), None)


def _silence(args: Namespace, settings: Settings) -> int:
    """A silence of the same is replaced."""
    alert, item = _named(args.name, settings)
    now_s = time.time()
    until_s = now_s + args.lasts.total_seconds()
    silence = Silence(alert, getpass.getuser(), now_s, until_s, _known(args.pipeline, settings), item)
    others = [each for each in read_silences(settings.folder.silences, now_s) if not each.is_like(silence)]
    write_silences(settings.folder.silences, [*others, silence])
    print(f"no messages about {args.name} until {moment(until_s)}; end it with: hotpath alerts lift {args.name}")
    return 0


def _lift(args: Namespace, settings: Settings) -> int:
    alert, _, item = args.name.partition(":")
    lifted = Silence(alert, "", 0.0, 0.0, args.pipeline, item or None)
    there = read_silences(settings.folder.silences, time.time())
    kept = [each for each in there if not each.is_like(lifted)]
    if len(kept) == len(there):
        known = ", ".join(sorted({f"{each.alert}:{each.item}" if each.item else each.alert for each in there}))
        print(f"hotpath: {args.name} is not silenced; silenced are: {known or 'none'}", file=sys.stderr)
        return 1
    write_silences(settings.folder.silences, kept)
    print(f"messages about {args.name} are sent again")
    return 0


def _named(name: str, settings: Settings) -> tuple[str, str | None]:
    """Alert and item.

    Raises:
        NotClear: there is no such alert.
    """
    alert, _, item = name.partition(":")
    known = {*ALERTS, *(each.name for pipeline in _pipelines(settings) for each in pipeline.monitoring.alerts)}
    if alert not in known:
        near = did_you_mean(alert, known) or "; hotpath alerts list names them all"
        raise NotClear(f'there is no alert "{alert}"{near}')
    return alert, item or None


def _pipeline_of(alert: str, given: str | None, settings: Settings) -> str:
    """The pipeline that the alert is of; empty for one of the whole stack.

    Raises:
        NotClear: it is not said, and several have it.
    """
    pipelines = _pipelines(settings)
    if any(rule.name == alert for rule in stack_rules(pipelines)):
        return ""
    if given is not None:
        return _known(given, settings) or ""
    having = [pipeline.name for pipeline in pipelines if _has(rules_of(pipeline), alert)]
    if len(having) != 1:
        raise NotClear(f"say --pipeline NAME; {alert} is an alert of: {', '.join(having) or 'none that is deployed'}")
    return having[0]


def _has(rules: Sequence[Rule], alert: str) -> bool:
    return any(rule.name == alert for rule in rules)


def _known(name: str | None, settings: Settings) -> str | None:
    names = settings.deployed_names()
    if name is not None and name not in names:
        raise NoSuchPipeline(name, names)
    return name


def _pipelines(settings: Settings) -> list[Pipeline]:
    """Those that load; the monitor names the others."""
    found = []
    for name in settings.deployed_names():
        try:
            each = deployment(settings, name)
        except DeploymentUnreadable:
            continue
        if each is not None:
            found.append(each.pipeline)
    return found


def _status(settings: Settings) -> dict[str, Any]:
    """What the monitor says.

    Raises:
        NoMonitor: it does not answer, or none runs.
    """
    address = Ports.of(settings).address("page")
    if settings.environment.is_given(variables.PAGE):
        host, port = settings.environment.get(variables.PAGE)
        address = f"{reachable(host)}:{port}"
    answers = (json_at(address, "/status.json", timeout_s) for timeout_s in ANSWERS_WITHIN_S)
    found: dict[str, Any] | None = next((answer for answer in answers if answer is not None), None)
    if found is not None:
        return found
    if control_socket.is_running(settings.control):
        raise NoMonitor(f"the monitor does not answer at http://{address}; look with: hotpath logs monitor")
    raise NoMonitor(f"no stack runs here, so nothing judges alerts; `hotpath up` starts it (data: {settings.data})")
