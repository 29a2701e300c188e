"""How fast the data folder of a running stack grows: `hotpath bench growth MINUTES`.

Measures each of its folders at the beginning and every minute, and prints the growth between the first and the last
look, for an hour and for a day. What has a retention grows until then and stays; see docs/operations.md.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Mapping
from pathlib import Path

from infra.settings import Settings

MB = 1e6


def sizes(folder: Path) -> dict[str, int]:
    """Bytes on disk of each entry of a folder."""
    return {entry.name: _size(entry) for entry in sorted(folder.iterdir())}


def _size(path: Path) -> int:
    """What the blocks take: sparse files, as Kafka's indexes are, count for what is in them."""
    total = 0
    for folder, _, names in os.walk(path):
        total += sum(_blocks(Path(folder) / name) for name in names)
    return total if path.is_dir() else _blocks(path)


def _blocks(path: Path) -> int:
    try:
        return path.lstat().st_blocks * 512
    except FileNotFoundError:
        return 0  # gone since it was listed


def table(first: Mapping[str, int], last: Mapping[str, int], hours: float) -> list[str]:
    """A line for each folder that grew or is large, and their sum."""
    rows = [(name, last[name], last[name] - first.get(name, 0)) for name in last]
    rows = [row for row in rows if row[1] > MB] + [
        ("all", sum(last.values()), sum(last.values()) - sum(first.values()))
    ]
    lines = [f"{'folder':<16} {'MB now':>8} {'MB an hour':>11} {'GB a day':>9}"]
    for name, now, grown in rows:
        lines.append(f"{name:<16} {now / MB:>8.0f} {grown / MB / hours:>11.0f} {grown / MB / hours * 24 / 1000:>9.2f}")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(prog="hotpath bench growth", description=__doc__)
    parser.add_argument("minutes", type=float)
    minutes = parser.parse_args().minutes
    folder, began_s = Settings.from_environment().data, time.time()
    first = last = sizes(folder)
    while (passed_s := time.time() - began_s) < minutes * 60:
        time.sleep(min(60.0, minutes * 60 - passed_s))
        last = sizes(folder)
        print(f"{(time.time() - began_s) / 60:.0f} min: {sum(last.values()) / MB:.0f} MB", flush=True)
    print("\n".join(table(first, last, (time.time() - began_s) / 3600)))


if __name__ == "__main__":
    main()
