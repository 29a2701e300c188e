"""What the launcher itself takes from the environment: folders, the port base, memory sizes."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
"""The checkout."""

SHARE: Final = ROOT / ".venv" / "share" / "hotpath"
"""Where the installer puts jars and the Java home."""

SCRATCH: Final = "tmp"
"""Folder below `run/` in which each part has one of its own for temporary files, emptied before every start."""

DEFAULT_PORT_BASE: Final = 17000

MEMORY: Final = {
    "KAFKA": "256m",
    "MIRROR": "256m",
    "NAMENODE": "128m",
    "DATANODE": "128m",
    "SECONDARYNAMENODE": "64m",
    "H2O": "1g",
    "SPARK": "1g",
}
"""Heap of each engine; HOTPATH_<NAME>_MEMORY overrides it."""


class SettingsError(ValueError):
    """A variable is malformed; the message names it."""


@dataclass(frozen=True)
class Settings:
    """The launcher's own settings. `env` is the environment that every part is started with."""

    data: Path
    port_base: int
    memory: Mapping[str, str]
    java_home: Path
    env: Mapping[str, str]

    @classmethod
    def from_environment(cls, env: Mapping[str, str] | None = None) -> Settings:
        """Read HOTPATH_DATA, HOTPATH_PORT_BASE and HOTPATH_<ENGINE>_MEMORY.

        Raises:
            SettingsError: naming the variable.
        """
        env = os.environ if env is None else env
        return cls(
            data=Path(env.get("HOTPATH_DATA", ROOT / ".hotpath")).absolute(),
            port_base=_port_base(env.get("HOTPATH_PORT_BASE", str(DEFAULT_PORT_BASE))),
            memory={name: _memory(env, name) for name in MEMORY},
            java_home=java_home(env),
            env=env,
        )

    @property
    def java(self) -> str:
        return str(self.java_home / "bin" / "java")

    @property
    def run(self) -> Path:
        return self.data / "run"

    @property
    def conf(self) -> Path:
        return self.data / "conf"

    @property
    def logs(self) -> Path:
        return self.data / "logs"

    @property
    def pipelines(self) -> Path:
        """The deployed pipeline files, a `<name>.toml` each."""
        return self.data / "pipelines"

    def deployed_names(self) -> list[str]:
        """The deployed pipelines' names, in order; no file is read."""
        return sorted(file.stem for file in self.pipelines.glob("*.toml"))

    def scratch(self, part: str) -> Path:
        """A part's temporary files. Its supervisor empties the folder before every start."""
        return self.run / SCRATCH / part

    @property
    def control(self) -> Path:
        """The supervisor's control socket."""
        return self.run / "supervisor.sock"


def java_home(env: Mapping[str, str]) -> Path:
    """JAVA_HOME where it is a Java 17, else the Java that the installer has put beside the virtual environment."""
    own = Path(env.get("JAVA_HOME", "/nowhere"))
    release = own / "release"
    is_17 = release.exists() and 'JAVA_VERSION="17' in release.read_text()
    return own if is_17 else SHARE / "java"


def read_env_file(path: Path, env: MutableMapping[str, str]) -> None:
    """Add the `NAME=value` lines of a `.env` file to `env`; what is there already stays.

    Raises:
        SettingsError: a line is neither empty, a comment nor an assignment.
    """
    if not path.is_file():
        return
    for number, line in enumerate(path.read_text().splitlines(), 1):
        text = line.strip().removeprefix("export ")
        if text and not text.startswith("#"):
            name, equals, value = text.partition("=")
            if not equals or not name.strip().isidentifier():
                raise SettingsError(f"{path}:{number}: write NAME=value, not {line!r}")
            env.setdefault(name.strip(), value.strip().strip("\"'"))


def _port_base(text: str) -> int:
    if not text.isdecimal() or not 1024 <= int(text) <= 65000:
        raise SettingsError(f"HOTPATH_PORT_BASE={text}: a number from 1024 to 65000; a hundred ports above it are used")
    return int(text)


def _memory(env: Mapping[str, str], name: str) -> str:
    variable = f"HOTPATH_{name}_MEMORY"
    text = env.get(variable, MEMORY[name])
    if not re.fullmatch(r"\d+[mg]", text):
        raise SettingsError(f"{variable}={text}: a number of megabytes or gigabytes, for example {MEMORY[name]}")
    return text
