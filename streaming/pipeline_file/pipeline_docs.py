"""docs/pipeline.md, made from the schema: `python -m streaming.pipeline_file.pipeline_docs` writes it."""

from __future__ import annotations

from pathlib import Path

from contract.pipeline import Type
from streaming.pipeline_file.alert_tables import ALERT_KEYS
from streaming.pipeline_file.durations import UNITS
from streaming.pipeline_file.schema import EXAMPLE_KEYS, NOT_IN_THIS_VERSION, ROOT, SECTIONS
from streaming.pipeline_file.scorecard_tables import DEFAULT_MEANING, TOLERANCE_KEYS
from streaming.pipeline_file.sections import Key, Section

PAGE = Path(__file__).resolve().parents[2] / "docs" / "pipeline.md"

HEAD = f"""\
# The pipeline file

One TOML file says *what* a pipeline is; *where* its brokers, tables and clusters are is in the environment.
`hotpath check FILE` prints everything that is wrong with it, each problem with line and column, and connects to
nothing. A key that is not listed here is refused.

- A **name** (of the pipeline, a field or a feature) is lower-case letters, digits and `_`, at most 48, letter first.
- A **duration** is a whole number and a unit in quotes: {", ".join(f"`{unit}`" for unit in UNITS)} (`"90s"`, `"3w"`).
- A **type** is one of {", ".join(f"`{kind.value}`" for kind in Type)}. In a record, an `int` is a whole JSON number
  within 64 bits; a `double` any JSON number; a `timestamp` RFC 3339 text with an offset, or whole milliseconds since
  1970. A second 60 (a leap second) counts as 59. A feature may be of any type but timestamp.
- A **field** is `name = "type"`, or `name = {{ type = "string", required = true, sensitive = true }}`. A record
  without its id, its key or a `required` field is a dead letter; any other missing field is NULL. A `sensitive`
  field is decoded and never stored: nothing may refer to it.
"""

TAIL = f"""\
## Refused in this version

They belong to the design and do not act yet: {", ".join(f"`{key}`" for key in sorted(NOT_IN_THIS_VERSION))}.
"""


def reference() -> str:
    """The whole page."""
    sections = [_section(section) for section in (ROOT, *SECTIONS)]
    return "\n".join([HEAD, *sections, _tolerances(), _alerts(), _examples(), TAIL])


def _section(section: Section) -> str:
    title = f"## [{section.name}]" if section.name else "## The top"
    rows = "\n".join(_row(key) for key in section.keys)
    return f"{title}\n\n{section.meaning}\n\n| key | value | default | meaning |\n|---|---|---|---|\n{rows}\n"


def _row(key: Key) -> str:
    default = "**required**" if key.default is None else _default(key.default)
    return f"| `{key.name}` | {key.kind.says} | {default} | {key.meaning} |"


def _default(text: str) -> str:
    in_words = " " in text or text == "none" or "`" in text
    return text if in_words else f"`{text}`"


def _tolerances() -> str:
    rows = "\n".join(
        f"| `{key.name}` | {key.kind.says} | {_default(key.default)} | {key.meaning} |" for key in TOLERANCE_KEYS
    )
    head = "| key | value | default | meaning |\n|---|---|---|---|\n"
    return (
        "## [scorecard]\n\nWhich risk tolerance decides.\n\n"
        f"{head}| `default` | name of a tolerance | none | {DEFAULT_MEANING} |\n\n"
        "## [scorecard.NAME]\n\n"
        "A risk tolerance: from which probability on answers may be trusted, so that what it bounds holds. With one\n"
        "of these tables the holdout is split by group: a third decides about a candidate, two thirds test thresholds\n"
        "([scorecard](scorecard.md)). A side without a bound abstains.\n\n"
        f"{head}{rows}\n"
    )


def _alerts() -> str:
    rows = "\n".join(f"| `{key.name}` | {key.kind.says} | {key.default} | {key.meaning} |" for key in ALERT_KEYS)
    return (
        "## [monitoring.alerts.NAME]\n\n"
        "A NAME that is one of hotpath's own alerts changes that alert; any other NAME is an alert of your own. What\n"
        "there is without these tables is in [operations](operations.md#alerts). What belongs to the whole stack\n"
        "(engines, disk, InfluxDB) is judged once, by the strictest of the pipelines' settings.\n\n"
        f"| key | value | default | meaning |\n|---|---|---|---|\n{rows}\n"
    )


def _examples() -> str:
    rows = "\n".join(f"| `{name}` | {meaning} |" for name, meaning in EXAMPLE_KEYS.items())
    return f"## [[examples]]\n\nA team's own tests, run by `hotpath check`.\n\n| key | meaning |\n|---|---|\n{rows}\n"


if __name__ == "__main__":
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(reference(), encoding="utf-8")
