"""Makes the secrets that lack, each in a file of its own that the containers' group may read.

Run: python -m infra.containers.make_secrets
"""

from __future__ import annotations

import secrets
import sys
from typing import Final

from contract.files import write_durably
from infra.settings import Settings

NAMES: Final = ("keys", "influx.token", "grafana.password")
"""The first key of callers, the token of the InfluxDB that compose starts, the password of Grafana's `admin`."""
_MODE: Final = 0o640


def main() -> int:
    """0; what is there already stays."""
    folder = Settings.from_environment().folder.secrets
    for file in (folder / name for name in NAMES):
        if not file.exists():
            write_durably(file, f"{secrets.token_urlsafe(24)}\n".encode(), mode=_MODE)
            print(f"made {file}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
