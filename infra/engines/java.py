"""Java programs: heap, logging and configuration files, the same for every engine."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from xml.sax.saxutils import escape

from contract.files import write_durably
from infra.settings import Settings

_LOGGING: Final = """\
rootLogger.level=info
# otherwise each start prints every setting
logger.settings.name=org.apache.kafka.common.config
logger.settings.level=warn
# otherwise HDFS logs every call of every client: some gigabytes a day
logger.audit.name=org.apache.hadoop.hdfs.server.namenode.FSNamesystem.audit
logger.audit.level=warn
logger.trace.name=org.apache.hadoop.hdfs.server.datanode.DataNode.clienttrace
logger.trace.level=warn
logger.blocks.name=org.apache.hadoop.hdfs.server.datanode.DataNode
logger.blocks.level=warn
rootLogger.appenderRef.console.ref=console
appender.console.type=Console
appender.console.name=console
appender.console.target=SYSTEM_ERR
appender.console.layout.type=PatternLayout
appender.console.layout.pattern=%d{ISO8601} %p %c{1} %m%n
"""


def command(settings: Settings, part: str, heap: str, classpath: str, main: str, *arguments: str) -> tuple[str, ...]:
    """A part's command line, tuned for a small heap on few cores. It logs to stderr: the supervisor keeps the log."""
    return (
        settings.java,
        "-Xms32m",
        f"-Xmx{heap}",
        "-XX:TieredStopAtLevel=1",  # the second compiler took a third of the processor time of a broker's start
        "-XX:+UseSerialGC",
        "-XX:+ExitOnOutOfMemoryError",  # out of memory an engine fails again and again; started anew it works
        "-Xshare:auto",
        f"-Dlog4j2.configurationFile={logging_file(settings)}",
        "-Djava.net.preferIPv4Stack=true",
        temporary_files(settings, part),
        "-cp",
        classpath,
        main,
        *arguments,
    )


def temporary_files(settings: Settings, part: str) -> str:
    """The option by which Java puts temporary files into the part's own folder. Java does not read TMPDIR."""
    return f"-Djava.io.tmpdir={settings.scratch(part)}"


ENVIRONMENT: Final = {"MALLOC_ARENA_MAX": "2"}
"""Limits glibc to two memory arenas; by default it may reserve one for each thread."""


def logging_file(settings: Settings) -> Path:
    path = settings.conf / "log4j2.properties"
    write(path, _LOGGING)
    return path


def write(path: Path, text: str) -> bool:
    """Write a configuration file whole, for its owner alone, since some hold secrets; whether it has changed."""
    if path.exists() and path.read_text() == text:
        path.chmod(0o600)
        return False
    write_durably(path, text.encode(), mode=0o600)
    return True


def properties(entries: Mapping[str, object]) -> str:
    """The text of a Java properties file: ASCII, since Java reads it as Latin-1; it understands the escapes of JSON."""
    return "".join(f"{name}={_escaped(_value(value))}\n" for name, value in entries.items())


def _escaped(text: str) -> str:
    """In ASCII on one line. A leading space is escaped: Java would take it as part of the separator."""
    inner = json.dumps(text)[1:-1]
    return "\\" + inner if inner.startswith(" ") else inner


def _value(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def hadoop_xml(entries: Mapping[str, object]) -> str:
    """A Hadoop configuration file."""
    rows = [
        f"  <property><name>{escape(name)}</name><value>{escape(_value(value))}</value></property>\n"
        for name, value in entries.items()
    ]
    return '<?xml version="1.0"?>\n<configuration>\n' + "".join(rows) + "</configuration>\n"
