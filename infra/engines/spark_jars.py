"""Jars that PySpark brings and other engines use as well."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path


def spark_jars(*names: str) -> list[str]:
    """The paths of these artifacts among PySpark's jars, whatever their versions.

    Raises:
        FileNotFoundError: PySpark does not bring one of them.
    """
    return [_one(name) for name in names]


def packaged(package: str) -> Path:
    """The folder of an installed package, without importing it."""
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise FileNotFoundError(f"the package {package} is not installed; `./hotpath up` installs it")
    return Path(spec.origin).parent


def _one(name: str) -> str:
    folder = packaged("pyspark") / "jars"
    found = sorted(folder.glob(f"{name}-[0-9]*.jar"))
    if not found:
        raise FileNotFoundError(f"no {name} in {folder}")
    return str(found[0])
