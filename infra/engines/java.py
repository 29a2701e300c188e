"""Java programs: heap, logging and configuration files, the same for every engine."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from xml.sax.saxutils import escape

from infra.settings import Settings

_LOGGING: Final = """\
rootLogger.level=info
# a start prints every setting otherwise
logger.settings.name=org.apache.kafka.common.config
logger.settings.level=warn
rootLogger.appenderRef.console.ref=console
appender.console.type=Console
appender.console.name=console
appender.console.target=SYSTEM_ERR
appender.console.layout.type=PatternLayout
appender.console.layout.pattern=%d{ISO8601} %p %c{1} %m%n
"""


LIGHT: Final = ("-XX:TieredStopAtLevel=1",)
"""For programs that work little: starts sooner, and takes less memory and processor time for compiling."""


def command(
    settings: Settings, heap: str, classpath: str, main: str, *arguments: str, options: tuple[str, ...] = ()
) -> tuple[str, ...]:
    """A command line for a small heap on few cores. Logs go to stderr: the supervisor keeps and bounds them."""
    return (
        settings.java,
        "-Xms32m",
        f"-Xmx{heap}",
        *options,
        "-XX:+UseSerialGC",
        "-XX:+ExitOnOutOfMemoryError",  # a part that limps is worse than one that is started again
        "-Xshare:auto",
        f"-Dlog4j2.configurationFile={logging_file(settings)}",
        "-Djava.net.preferIPv4Stack=true",
        "-cp",
        classpath,
        main,
        *arguments,
    )


ENVIRONMENT: Final = {"MALLOC_ARENA_MAX": "2"}
"""Keeps glibc from reserving an arena a thread."""


def logging_file(settings: Settings) -> Path:
    path = settings.conf / "log4j2.properties"
    if not path.exists():
        write(path, _LOGGING)
    return path


def write(path: Path, text: str) -> bool:
    """Write a configuration file whole; whether it has changed."""
    if path.exists() and path.read_text() == text:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f"{path.name}.{threading.get_ident()}.new")  # parts that share a file start together
    aside.write_text(text)
    aside.replace(path)
    return True


def properties(entries: Mapping[str, object]) -> str:
    """A Java properties file; backslashes are doubled, as its reader halves them."""
    lines = [f"{name}={_value(value)}\n" for name, value in entries.items()]
    return "".join(lines)


def _value(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value).replace("\\", "\\\\")


def hadoop_xml(entries: Mapping[str, object]) -> str:
    """A Hadoop configuration file."""
    rows = [
        f"  <property><name>{escape(name)}</name><value>{escape(_value(value))}</value></property>\n"
        for name, value in entries.items()
    ]
    return '<?xml version="1.0"?>\n<configuration>\n' + "".join(rows) + "</configuration>\n"
