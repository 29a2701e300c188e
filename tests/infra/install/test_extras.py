"""Each extra of pyproject.toml brings what its package imports: a scorer's image needs neither Spark nor H2O."""

from __future__ import annotations

import ast
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from infra.settings import ROOT

BROUGHT_BY_THEM = {"fastapi": {"pydantic", "typing-extensions"}}
"""What a declared dependency brings as a part of its own interface."""


def module_file(name: str) -> Path | None:
    """The file of one of our modules; None for those of others."""
    path = ROOT / name.replace(".", "/")
    return next((file for file in (path / "__init__.py", path.with_suffix(".py")) if file.exists()), None)


def imported(file: Path) -> set[str]:
    """The modules that a file names, whether or not it reaches the import."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            inner = (f"{node.module}.{alias.name}" for alias in node.names)
            found |= {node.module, *(name for name in inner if module_file(name))}
    return found


def third_party(package: str) -> set[str]:
    """The distributions that a package needs, its own modules and ours that these import followed to their end."""
    files, names = set((ROOT / package).rglob("*.py")), set[str]()
    todo = list(files)
    while todo:
        for name in imported(todo.pop()):
            file = module_file(name)
            names |= {name.partition(".")[0]} if file is None else set()
            if file is not None and file not in files:
                files.add(file)
                todo.append(file)
    ours = {"contract", "streaming", "training", "serving", "monitoring", "infra"}
    known = packages_distributions()
    return {canonicalize_name(known[name][0]) for name in names - set(sys.stdlib_module_names) - ours}


def declared(extra: str) -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    requirements = project["dependencies"] + project["optional-dependencies"][extra]
    names = {canonicalize_name(Requirement(text).name) for text in requirements}
    return names | {brought for name in names for brought in BROUGHT_BY_THEM.get(name, ())}


@pytest.mark.parametrize("package", ["streaming", "training", "serving", "monitoring"])
def test_an_extra_brings_what_its_package_imports(package: str) -> None:
    assert third_party(package) <= declared(package)


def test_a_scorer_needs_neither_spark_nor_h2o() -> None:
    assert not {"pyspark", "h2o", "deltalake"} & (third_party("serving") | declared("serving"))
