"""`hotpath test`: every linter, then every test; what was left out is told last.

`--quick` leaves out tests with engines of their own, those that start the stack's engines again, and those that wait
for minutes. `--deep` adds the tests that are marked `deep`, and larger numbers of generated cases. `--without browser`
leaves out what needs a headless Chromium, which is otherwise installed where that can be done. Further arguments go to
pytest.
"""

from __future__ import annotations

import ast
import os
import shutil
import signal
import subprocess
import sys
import time
from argparse import REMAINDER, ArgumentParser, Namespace, _SubParsersAction
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

from contract import variables
from contract.environment import Environment
from infra.engines import influxdb
from infra.install.influxd_build import cached, lacking
from infra.settings import ROOT, SHARE, Settings, java_home
from infra.stack.announce import say
from infra.supervisor import child

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
BIN = Path(sys.executable).parent
DEEP_EXPRESSIONS = "3000"
"""How many generated expressions `--deep` compares with Spark."""

BESIDE_FAST = ("tests/integration", "tests/faults", "tests/containers")
INTEGRATION = Path("tests/integration")


@dataclass(frozen=True)
class Step:
    """One linter or test run."""

    name: str
    command: tuple[str, ...]
    env: Mapping[str, str]
    is_optional: bool = False
    """Whether all else goes on without it: what is then left out is told last."""


def own_engines() -> list[str]:
    """The files of integration tests that do not ask for the fixture `stack`: they start engines of their own.

    They run beside the tests of the stack, which often wait.
    """
    return [str(INTEGRATION / file.name) for file in sorted((ROOT / INTEGRATION).glob("test_*.py")) if not _asks(file)]


def _asks(file: Path) -> bool:
    functions = (node for node in ast.walk(ast.parse(file.read_text("utf-8"))) if isinstance(node, ast.FunctionDef))
    return any(argument.arg == "stack" for function in functions for argument in function.args.args)


def add_parser(commands: _SubParsersAction[ArgumentParser]) -> None:
    parser = commands.add_parser("test")
    extent = parser.add_mutually_exclusive_group()
    extent.add_argument("--quick", action="store_true", help="linters, fast tests and one stack: within 10 minutes")
    extent.add_argument("--deep", action="store_true", help="what takes long, too: large counts, long drills")
    parser.add_argument("--without", action="append", choices=["browser"], default=[], help="leave out and say so")
    parser.add_argument("pytest_args", nargs=REMAINDER, metavar="PYTEST ARGS", help="only pytest, with these")
    parser.set_defaults(run=run)


def run(args: Namespace) -> int:
    """All steps, whatever fails on the way; 1 when one failed."""
    left_out = []
    if "browser" in args.without:
        left_out.append("tests in the browser (--without browser)")
    elif lacking := _chromium_lacks():
        print(f"hotpath: {lacking}", file=sys.stderr)
        return 1
    if args.quick:
        left_out.append("tests with engines of their own, that start the stack's again, or wait for minutes (--quick)")
    if not args.deep:
        left_out.append("what takes long: tests marked deep (--deep runs them)")
    began = time.monotonic()
    results = [ran for steps in _steps(args) for ran in _run(steps)]
    if not args.quick and not _has_influxd():
        left_out.append(
            f"tests with InfluxDB: name an influxd 2 in {variables.INFLUXD.name}, or install Go, which builds one"
        )
    left_out += _of_containers(args)
    say("")
    for step, code, seconds in results:
        word = "passed" if code == 0 else "left" if step.is_optional else "FAILED"
        say(f"{word:<7} {seconds:7.1f} s  {step.name}")
    failed = sum(1 for step, code, _ in results if code and not step.is_optional)
    say(f"{len(results) - failed} steps passed, {failed} failed in {time.monotonic() - began:.0f} s")
    for what in left_out:
        say(f"left out: {what}")
    return 1 if failed else 0


def _steps(args: Namespace) -> list[list[Step]]:
    """One list after the other; the steps of a list run beside each other."""
    if args.pytest_args:
        own = [argument for argument in args.pytest_args if argument != "--"]
        return [[_pytest("pytest", args, *own)]]
    cargo = {"PATH": f"{BIN}:{os.environ['PATH']}"}
    modules = cargo | {"PYO3_BUILD_EXTENSION_MODULE": "1"}
    linters = [
        Step("ruff check", (f"{BIN}/ruff", "check", "."), {}),
        Step("ruff format", (f"{BIN}/ruff", "format", "--check", "."), {}),
        Step("mypy", (f"{BIN}/mypy",), {}),
        Step("import-linter", (f"{BIN}/lint-imports",), {"PYTHONPATH": str(ROOT)}),
        Step("cargo fmt", ("cargo", "fmt", "--all", "--check"), cargo),
        Step("clippy", ("cargo", "clippy", *_RUST, "--workspace", "--all-targets", "--", "-D", "warnings"), modules),
    ]
    fast = _pytest("pytest, fast", args, *_THREE_FOR_TWO_CORES, *_BY_FILE, "tests", *_ignored(BESIDE_FAST))
    building = [] if args.quick or _has_influxd() or lacking() else [_BUILD_INFLUXD]
    cargo_tests = Step("cargo test", ("cargo", "test", *_RUST, "-p", "transform", "-p", "scorer"), cargo)
    faults = _pytest("pytest, faults", args, *_A_CORE_EACH, "tests/faults")
    own = own_engines()
    stack = _pytest("pytest, with the stack", args, str(INTEGRATION), *_ignored(own))
    engines = _pytest("pytest, with engines of their own", args, *own)
    rest = [stack] if args.quick else [engines, stack]
    containers = (
        [[_pytest("pytest, containers", args, "-s", "tests/containers")]] if args.deep and not _no_docker() else []
    )
    return [linters, [cargo_tests], [*building, fast], [faults], rest, *containers]


def _of_containers(args: Namespace) -> list[str]:
    """What was left out for want of Docker, or of its compose plugin."""
    found = []
    if not _compose_answers():
        found.append("docker compose config: install Docker's compose plugin")
    if args.deep and (why := _no_docker()):
        found.append(f"the containers: {why}")
    return found


def _no_docker() -> str:
    """Why compose cannot be run here; empty where it can."""
    if lacking := [name for name in ("docker", "debootstrap", "rustc") if not shutil.which(name)]:
        return f"{', '.join(lacking)} not found (Debian: apt-get install docker.io debootstrap)"
    if not _compose_answers():
        return "docker has no compose plugin"
    if os.geteuid() != 0:
        return "debootstrap, which makes their base, needs root"
    return "" if _is_well("docker", "info") else "no Docker Engine answers; start dockerd"


def _compose_answers() -> bool:
    return bool(shutil.which("docker")) and _is_well("docker", "compose", "version")


def _is_well(*command: str) -> bool:
    return subprocess.run(command, capture_output=True).returncode == 0


_BUILD_INFLUXD = Step(
    "influxd, built once into the user's cache", (sys.executable, "-m", "infra.install.influxd_build"), {}, True
)


def _has_influxd() -> bool:
    """Whether tests find an InfluxDB 2."""
    return influxdb.program(Settings.from_environment(os.environ | _influxd())) is not None


def _influxd() -> dict[str, str]:
    """Names the one in the user's cache, unless the environment names one."""
    is_cached = cached().exists() and not Environment().is_given(variables.INFLUXD)
    return {variables.INFLUXD.name: str(cached())} if is_cached else {}


_A_CORE_EACH = ("-n", "logical")
_BY_FILE = ("--dist", "loadfile")
"""A file's tests share what they start."""
_THREE_FOR_TWO_CORES = ("-n", str(max(2, (os.cpu_count() or 2) * 3 // 2)))
"""Many tests wait for processes of theirs."""
_RUST = ("--release", "--locked", "--quiet")


def _ignored(paths: Iterable[str]) -> Iterator[str]:
    return (f"--ignore={path}" for path in paths)


def _pytest(name: str, args: Namespace, *arguments: str) -> Step:
    unwanted = {
        "restarts": args.quick,
        "patient": args.quick,
        "deep": not (args.deep or args.pytest_args),
        "browser": "browser" in args.without,
    }
    chosen = [f"not {mark}" for mark, is_unwanted in unwanted.items() if is_unwanted]
    marks = ("-m", " and ".join(chosen)) if chosen else ()
    env = {variables.SPARK_JARS.name: f"{SHARE}/jars/spark", variables.JAVA_HOME.name: str(java_home(Environment()))}
    env |= {"PYTHONDONTWRITEBYTECODE": ""}  # or each of hundreds of processes would compile all that it imports
    env |= {variables.PARITY.name: DEEP_EXPRESSIONS} if args.deep else {}
    return Step(name, (sys.executable, "-m", "pytest", "-q", "--durations=5", *marks, *arguments), env)


def _run(steps: list[Step]) -> list[tuple[Step, int, float]]:
    """Each with its exit code and seconds. The last one prints as it goes, what others printed comes after it."""
    *others, last = steps
    with ThreadPoolExecutor() as pool, ExitStack() as files:
        outputs = [files.enter_context(TemporaryFile("w+", encoding="utf-8", errors="replace")) for _ in others]
        beside = [pool.submit(_run_one, *each) for each in zip(others, outputs, strict=True)]
        say(f"\n== {last.name}")
        ran = _run_one(last, None)
        for step, output, end in zip(others, outputs, beside, strict=True):
            end.result()
            output.seek(0)
            say(f"\n== {step.name}\n{output.read()}")
        return [*(end.result() for end in beside), ran]


def _run_one(step: Step, output: IO[str] | None) -> tuple[Step, int, float]:
    """Tests end with us, and their stack with them: a run that is stopped leaves nothing behind."""
    began = time.monotonic()
    bound = child.bound_to_us(signal.SIGTERM) if step.name.startswith("pytest") else ()
    try:
        done = subprocess.run(
            (*bound, *step.command),
            cwd=ROOT,
            env=os.environ | _influxd() | dict(step.env),
            stdout=output,
            stderr=output,
        )
        code = done.returncode
    except FileNotFoundError as error:
        say(f"{error.filename} is not installed")
        code = 1
    return step, code, time.monotonic() - began


def _chromium_lacks() -> str:
    """Empty when a Chromium is there, or could be installed; else what to do."""
    if any(shutil.which(name) for name in CHROMIUM):
        return ""
    by_hand = "the tests in the browser need Chromium; install it ({}), or leave them out with --without browser"
    if not shutil.which("apt-get"):
        return by_hand.format("Fedora: dnf install chromium; Arch: pacman -S chromium")
    if os.geteuid() != 0:
        return by_hand.format("sudo apt-get install chromium")
    say("installing Chromium, which only tests need: apt-get install chromium")
    env = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for command in (("apt-get", "update"), ("apt-get", "install", "-y", "--no-install-recommends", "chromium")):
        if subprocess.run(command, env=env, stdout=subprocess.DEVNULL).returncode:
            return by_hand.format("`apt-get install chromium` failed, its message is above")
    return ""
