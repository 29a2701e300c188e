"""`hotpath logs PART [-f]`: the end of a part's log, and what it goes on to write."""

from __future__ import annotations

import os
import sys
import time
from argparse import ArgumentParser, Namespace, _SubParsersAction
from pathlib import Path

from contract import variables
from contract.arguments import whole_number_from
from contract.data_folder import DataFolder
from infra.settings import Settings
from serving.rollout.scorer_processes import recorded

LINES = 200


def add_parser(commands: _SubParsersAction[ArgumentParser]) -> None:
    parser = commands.add_parser("logs")
    parser.add_argument("part", help="as `hotpath status` names it")
    parser.add_argument("-f", "--follow", action="store_true", help="go on with what it writes")
    parser.add_argument(
        "-n", "--lines", type=whole_number_from(0), default=LINES, help=f"how many of the last lines (default {LINES})"
    )
    parser.set_defaults(run=run)


def run(args: Namespace) -> int:
    settings = Settings.from_environment()
    folder = settings.folder
    if settings.environment.get(variables.SLOTS) and not folder.logs.exists():
        print("hotpath: the logs of containers are Docker's: docker compose logs SERVICE", file=sys.stderr)
        return 1
    path = folder.log(_part_of(folder, args.part))
    if not path.exists():
        known = ", ".join(sorted(each.stem for each in path.parent.glob("*.log"))) or "none yet"
        print(f"hotpath: no log of {args.part!r}; there are: {known}", file=sys.stderr)
        return 1
    lines = path.read_text(errors="replace").splitlines(keepends=True)
    sys.stdout.writelines(lines[max(0, len(lines) - args.lines) :])
    sys.stdout.flush()
    if args.follow:
        _follow(path)
    return 0


def _part_of(folder: DataFolder, name: str) -> str:
    """The part whose log has what this one writes: the scorers of a pipeline write into one."""
    pipeline = next((scorer.pipeline for scorer in recorded(folder) if scorer.name == name), None)
    return f"scorers-{pipeline}" if pipeline else name


def _follow(path: Path) -> None:
    """Until Ctrl-C. A file that was put aside is left for its successor."""
    file = path.open(errors="replace")
    file.seek(0, 2)
    try:
        while True:
            if text := file.read():
                sys.stdout.write(text)
                sys.stdout.flush()
            elif path.exists() and path.stat().st_ino != _inode(file.fileno()):
                file.close()
                file = path.open(errors="replace")
            else:
                time.sleep(0.2)
    except KeyboardInterrupt:
        file.close()


def _inode(descriptor: int) -> int:
    return os.fstat(descriptor).st_ino
