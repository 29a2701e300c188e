"""`hotpath bench NAME`: run one of the checkout's benchmarks, and keep what it prints in the data folder."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from argparse import REMAINDER, ArgumentParser, Namespace, _SubParsersAction
from datetime import UTC, datetime
from pathlib import Path

from contract import variables
from infra.settings import ROOT, Settings
from infra.stack.announce import say

FOLDER = ROOT / "benchmarks"
USAGE = 2
"""The exit code of a benchmark that refuses its arguments: it has measured nothing."""


def add_parser(commands: _SubParsersAction[ArgumentParser]) -> None:
    parser = commands.add_parser("bench")
    parser.add_argument("name", nargs="?", help="which benchmark; without it they are listed")
    parser.add_argument("arguments", nargs=REMAINDER, metavar="ARGUMENTS", help="those of the benchmark")
    parser.set_defaults(run=run)


def run(args: Namespace) -> int:
    """The benchmark's exit code; 1 outside a checkout, 2 for a name that there is not, or arguments that it refuses."""
    known = benchmarks(FOLDER)
    if not known:
        print(f"hotpath: benchmarks are part of a checkout, not of an installation: {FOLDER} is not there; "
              "clone the repository and run ./hotpath bench there", file=sys.stderr)  # fmt: skip
        return 1
    if args.name is None:
        say("\n".join(f"{name:<12} {meaning}" for name, meaning in known.items()))
        return 0
    if args.name not in known:
        print(f"hotpath: no benchmark {args.name!r}; there are: {', '.join(known)}", file=sys.stderr)
        return 2
    return _measure(Settings.from_environment(), args.name, args.arguments)


def benchmarks(folder: Path) -> dict[str, str]:
    """Name -> first sentence of each benchmark in a folder; none where there is no folder."""
    found = {}
    for path in sorted(folder.glob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        if any(isinstance(node, ast.FunctionDef) and node.name == "main" for node in tree.body):
            found[path.stem] = (ast.get_docstring(tree) or "").partition("\n")[0].partition(":")[0]
    return found


def _measure(settings: Settings, name: str, arguments: list[str]) -> int:
    """Run it with its output on the terminal and, line by line, in a file of its own."""
    results = settings.folder.benchmarks
    results.mkdir(parents=True, exist_ok=True)
    path = results / f"{name}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.txt"
    command = [sys.executable, "-m", f"benchmarks.{name}", *arguments]
    env = os.environ | {"PYTHONUNBUFFERED": "1", variables.DATA.name: str(settings.data)}
    with path.open("w") as kept, subprocess.Popen(
        command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as running:  # fmt: skip
        kept.write(f"$ hotpath bench {' '.join([name, *arguments])}\n")
        for line in running.stdout or ():
            print(line, end="", flush=True)
            kept.write(line)
    if running.returncode == USAGE:
        path.unlink()
    else:
        say(f"kept in {path}")
    return running.returncode
