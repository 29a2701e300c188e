"""What the launcher itself takes from the environment: the data folder, ports and addresses, memory sizes, Java."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from contract import variables
from contract.data_folder import DataFolder
from contract.environment import Environment
from contract.variable_types import reachable

ROOT: Final = Path(__file__).resolve().parent.parent
"""The checkout."""

SHARE: Final = ROOT / ".venv" / "share" / "hotpath"
"""Where the installer puts jars and the Java home."""


@dataclass(frozen=True)
class Settings:
    """The launcher's own settings. `env` is the environment that every part is started with."""

    data: Path
    port_base: int
    bind: str
    """Where everything that `up` starts listens."""
    advertise: str
    """Under which name or address it is reached."""
    memory: Mapping[str, str]
    """Heap of each engine."""
    java_home: Path
    env: Mapping[str, str]

    @classmethod
    def from_environment(cls, env: Mapping[str, str] | None = None) -> Settings:
        """Read what the environment says.

        Raises:
            VariableError: naming the variable.
        """
        environment = Environment(env)
        data = environment.get(variables.DATA)
        bind = environment.get(variables.BIND)
        return cls(
            data=data if data.is_absolute() else ROOT / data,
            port_base=environment.get(variables.PORT_BASE),
            bind=bind,
            advertise=environment.get(variables.ADVERTISE) or reachable(bind),
            memory={engine: environment.get(variable) for engine, variable in variables.MEMORY.items()},
            java_home=java_home(environment),
            env=os.environ if env is None else env,
        )

    @property
    def environment(self) -> Environment:
        return Environment(self.env)

    @property
    def java(self) -> str:
        return str(self.java_home / "bin" / "java")

    @property
    def folder(self) -> DataFolder:
        """The paths of the data folder."""
        return DataFolder(self.data)

    @property
    def run(self) -> Path:
        return self.folder.run

    @property
    def conf(self) -> Path:
        return self.folder.conf

    @property
    def logs(self) -> Path:
        return self.folder.logs

    @property
    def pipelines(self) -> Path:
        """The deployed pipeline files, a `<name>.toml` each."""
        return self.folder.pipelines

    def deployed_names(self) -> list[str]:
        """The deployed pipelines' names, in order; no file is read."""
        return sorted(file.stem for file in self.pipelines.glob("*.toml"))

    def removed_names(self) -> list[str]:
        """The names of the pipelines that `hotpath remove` has stopped."""
        return sorted(file.stem for file in self.folder.removed_pipelines.glob("*.toml"))

    def scratch(self, part: str) -> Path:
        """A part's temporary files. Its supervisor empties the folder before every start."""
        return self.folder.scratch(part)

    @property
    def control(self) -> Path:
        """The supervisor's control socket."""
        return self.folder.control


def java_home(environment: Environment) -> Path:
    """JAVA_HOME where it is a Java 17, else the Java that the installer has put beside the virtual environment."""
    own = environment.get(variables.JAVA_HOME)
    release = own / "release" if own else None
    is_17 = release is not None and release.exists() and 'JAVA_VERSION="17' in release.read_text()
    return own if own and is_17 else SHARE / "java"
