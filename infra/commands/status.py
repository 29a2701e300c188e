"""`hotpath status`: the first line says that all is well, or what is broken first; exit 1 when unwell.

Broken is a part that does not run, a pipeline without a model, a stage of the flow that the monitor finds standing
still, or a model that the monitor says not to trust: in this order.
"""

from __future__ import annotations

import json
import time
from argparse import ArgumentParser, Namespace, _SubParsersAction
from pathlib import Path
from typing import Any

import msgspec

from contract.manifest import MANIFEST, BadManifest, Manifest, read_manifest
from contract.timestamps import parse_us
from infra.settings import Settings
from infra.stack import control_socket
from infra.stack.live_scorers import live_scorers
from infra.supervisor.processes import pss_bytes
from infra.supervisor.readiness import json_at
from serving.candidates.state_store import ModelsError, read_states

Row = dict[str, Any]
MONITOR_WITHIN_S = (3.0, 15.0)
"""How long the monitor may take to answer, at the first try and at the second."""
OLDEST_VIEW_S = 60.0


def add_parser(commands: _SubParsersAction[ArgumentParser]) -> None:
    parser = commands.add_parser("status")
    parser.add_argument("--json", action="store_true", help="machine-readable")
    parser.set_defaults(run=run)


def run(args: Namespace) -> int:
    """Ask the supervisor, and look at each pipeline's model."""
    settings = Settings.from_environment()
    answer = next(control_socket.ask(settings.control, {"do": "status"}))
    parts = [part | {"pss_mb": _pss_mb(part["pid"])} for part in answer["parts"]] + _scorers(settings)
    pipelines = [model_of(settings.folder.of_pipeline(name), name) for name in settings.deployed_names()]
    of_supervisor = _vanished(settings, answer.get("vanished", [])) + unwritten(answer.get("unwritten", []))
    troubles = [*of_supervisor, *_troubles(parts, time.time())]
    pipelines = [with_unreadable_file(each, troubles) for each in pipelines]
    verdict, well = judge(parts, pipelines, troubles)
    if args.json:
        told = {"well": well, "verdict": verdict, "parts": parts, "pipelines": pipelines, "troubles": troubles}
        print(json.dumps(told, indent=1))
    else:
        print("\n".join([verdict, "", *_table(parts), "", *_lines(pipelines), *troubles]))
    return 0 if well else 1


def judge(parts: list[Row], pipelines: list[Row], troubles: list[str]) -> tuple[str, bool]:
    """The first line, and whether all is well. Each list comes in the order of the flow: the first is told."""
    broken = next((part for part in parts if part["state"] != "ready"), None)
    if broken:
        why = f": {broken['problem']}" if broken["problem"] else ""
        return f"unwell: {broken['part']} is {broken['state']}{why}; look with: {broken['look_first']}", False
    without = next((each for each in pipelines if not each["model"]), None)
    if without:
        name, problem = without["pipeline"], without.get("problem")
        why = problem or f"{name} has no model yet; look with: hotpath logs trainer"
        return f"unwell: {why}", False
    if troubles:
        return f"unwell: {troubles[0]}", False
    total = sum(part["pss_mb"] for part in parts)
    return f"well: {len(parts)} parts, {total / 1024:.1f} GiB", True


def with_unreadable_file(pipeline: Row, troubles: list[str]) -> Row:
    """A pipeline whose deployed file does not load has no model for that reason."""
    told = f"{pipeline['pipeline']}.toml is not taken up: "
    why = next((trouble for trouble in troubles if told in trouble), None)
    return pipeline if why is None or pipeline["model"] else pipeline | {"problem": why}


def _troubles(parts: list[Row], now_s: float) -> list[str]:
    """What the monitor finds wrong, and what restarts say, in words, each with the command that looks closer."""
    monitor = next((part for part in parts if part["part"] == "monitor" and part["state"] == "ready"), None)
    found = [] if monitor is None else told_by_monitor(monitor, now_s)
    return found + restart_troubles(parts, found)


def told_by_monitor(monitor: Row, now_s: float) -> list[str]:
    """On a machine that is very busy, an answer may take its time."""
    address = monitor["address"].removeprefix("http://")
    answers = (json_at(address, "/status.json", timeout_s) for timeout_s in MONITOR_WITHIN_S)
    seen = next((answer for answer in answers if answer is not None), None)
    if seen is None:
        return [f"the monitor does not answer at {monitor['address']}; look with: {monitor['look_first']}"]
    age_s = now_s - parse_us(seen["time"]) / 1e6
    if age_s > OLDEST_VIEW_S:
        return [f"the monitor has not looked for {age_s:.0f} s; look with: {monitor['look_first']}"]
    of_stack = [_in_words(problem) for problem in seen.get("problems", [])]
    return [trouble for pipeline in seen["pipelines"] for trouble in troubles_of(pipeline)] + of_stack


def restart_troubles(parts: list[Row], told: list[str]) -> list[str]:
    """Of parts that were started again often, or had ended themselves; the monitor may have told it already."""
    troubled = [part for part in parts if part.get("trouble")]
    return [
        f"{part['trouble']}; look with: {part['look_first']}"
        for part in troubled
        if not any(_tells(each, f"{part['part']} {what}") for each in told for what in ("was started", "ended itself"))
    ]


def _tells(trouble: str, words: str) -> bool:
    """Whether a trouble begins with these words, be it after pipeline and stage."""
    return trouble.startswith(words) or f": {words}" in trouble


def troubles_of(pipeline: Row) -> list[str]:
    """Those of the pipeline as a whole first; a file that has vanished is told by the supervisor, too."""
    name = pipeline["name"]
    own = [f"{name}: {_in_words(each)}" for each in pipeline.get("problems", []) if each["code"] != "vanished"]
    found = [
        f"{name}: {stage['name']}: {_in_words(problem)}"
        for stage in pipeline["stages"]
        for problem in stage["problems"]
    ]
    against = [] if pipeline["trusted"] else [f"{pipeline['headline']} Look with: hotpath models list"]
    return own + found + against


def _in_words(problem: Row) -> str:
    return f"{problem['text']}; look with: {problem['command'].removeprefix('./')}"


def _vanished(settings: Settings, names: list[str]) -> list[str]:
    """Pipelines whose deployed file is gone, although nobody removed them: they run until somebody starts a part."""
    return [
        f"{name}: its deployed file {settings.folder.pipeline_file(name)} has vanished, and it goes on with what that "
        f"said; deploy it again with: hotpath up FILE, or stop it with: hotpath remove {name}"
        for name in names
    ]


def unwritten(problems: list[str]) -> list[str]:
    """Logs and notes that the supervisor could not write, each with the remedy."""
    return [f"{problem}; make room on that disk, and it goes on by itself" for problem in problems]


def _scorers(settings: Settings) -> list[Row]:
    return [
        {
            "part": scorer.name,
            "state": "ready",
            "pid": scorer.pid,
            "uptime_s": None,
            "restarts": 0,
            "address": "",
            "problem": "",
            "look_first": f"hotpath logs scorers-{scorer.pipeline}",
            "pss_mb": _pss_mb(scorer.pid),
        }
        for scorer in live_scorers(settings.folder)
    ]


def model_of(folder: Path, name: str) -> Row:
    """The champion of a pipeline, from what the rollout has written in the folder that serving keeps of it."""
    try:
        states = read_states(folder)
    except ModelsError as error:
        return {"pipeline": name, "model": None, "problem": str(error)}
    champion, pinned = states.champion(), states.pinned()
    if champion is None:
        return {"pipeline": name, "model": None, "problem": ""}
    manifest = _manifest(folder, champion.version)
    return {
        "pipeline": name,
        "model": champion.version,
        "model_age_s": None if manifest is None else round(time.time() - manifest.newest_as_of_us / 1e6, 1),
        "algorithm": None if manifest is None else manifest.algorithm,
        "since": champion.when,
        "auc": champion.auc,
        "pinned": None if pinned is None else msgspec.structs.asdict(pinned),
        "problem": "",
    }


def _manifest(folder: Path, version: str) -> Manifest | None:
    """None where there is none on this host that reads."""
    try:
        return read_manifest((folder / "candidates" / version / MANIFEST).read_bytes(), version)
    except (OSError, BadManifest):
        return None


def _pss_mb(pid: int | None) -> float:
    return round(pss_bytes(pid) / 1024**2, 1) if pid else 0.0


def _table(parts: list[Row]) -> list[str]:
    head = f"{'part':<28} {'state':<9} {'pid':>8} {'up s':>9} {'MiB':>7} {'restarts':>8}  address"
    return [head, *(_row(part) for part in parts)]


def _row(part: Row) -> str:
    uptime = "" if part["uptime_s"] is None else f"{part['uptime_s']:.0f}"
    figures = f"{part['pid'] or '':>8} {uptime:>9} {part['pss_mb']:>7.0f} {part['restarts']:>8}"
    return f"{part['part']:<28} {part['state']:<9} {figures}  {part['address']}{_problem(part)}"


def _problem(part: Row) -> str:
    return f"  {part['problem']}" if part["problem"] else ""


def _lines(pipelines: list[Row]) -> list[str]:
    return [line_of(each) for each in pipelines]


def line_of(pipeline: Row) -> str:
    """A pipeline's model in words."""
    name = pipeline["pipeline"]
    if not pipeline["model"]:
        return f"{name}: no model yet {pipeline['problem']}"
    age = "unknown" if pipeline["model_age_s"] is None else f"{pipeline['model_age_s']:.0f} s"
    algorithm = f" ({pipeline['algorithm']})" if pipeline["algorithm"] else ""
    facts = f"{pipeline['model']}{algorithm} since {pipeline['since']}, age {age}, AUC {pipeline['auc'] or 0:.3f}"
    pin = pipeline["pinned"]
    held = f"; {pin['version']} is pinned by {pin['who']} since {pin['when']}: {pin['why']}" if pin else ""
    return f"{name}: {facts}{held}"
