"""The transform in Rust: one implementation for Spark, scorers and `hotpath try`.

Arrow goes in and out by the C data interface (`__arrow_c_array__`): `pyarrow.record_batch(x)` takes a result.
"""

from typing import Any

class ArrowArray:
    def __arrow_c_array__(self, requested_schema: object = None) -> tuple[object, object]: ...

class Transform:
    """A compiled pipeline. `spec` is the JSON text that `compile_pipeline` makes.

    Raises:
        ValueError: the spec is not of this version, or broken.
    """

    def __init__(self, spec: str) -> None: ...
    def decode_events(self, batch: Any) -> ArrowArray:
        """Decode a record batch `value: binary`.

        Returns a struct array of the same length: `reason, field, detail: string` and `at_byte: int64` (all NULL
        for a good record), `id, key, host: string`, `as_of, due: timestamp[us, UTC]` (NULL where the expression
        gives NULL), `stored: binary` (the record without sensitive fields; the same bytes when none is declared),
        `event: struct` of the fields that are not sensitive.
        """

    def decode_labels(self, batch: Any) -> ArrowArray:
        """As `decode_events`: `reason, field, detail, at_byte, key, host (NULL), time, stored, label: struct`."""

    def features(self, batch: Any) -> ArrowArray:
        """A record batch `event: struct, as_of: timestamp[us, UTC]` in; one column `f_<name>` per feature out."""

    def label_values(self, batch: Any) -> ArrowArray:
        """A record batch `label: struct` in; a record batch `value: boolean` out."""

    def question(self, body: bytes, as_of_us: int | None, now_us: int) -> dict[str, Any]:
        """One event as a scorer sees it. `as_of` is `as_of_us`, else the body's time, else `now_us`.

        Returns `id, key, host, as_of_us, as_of_source ("query" | "body" | "clock"), due_us, fields: dict,
        features: dict, unknown: list of field names, errors: list of {reason, field, detail, at_byte}`.
        Every error of the body is listed, not the first one only; with errors, features is empty.
        """

class RecordForm:
    """The fields of a JSON record that is no pipeline's own.

    `fields` is a JSON list of `{name, type, required, sensitive, object}`: with `object`, the value must be a JSON
    object, which is kept as its text, and `type` is `string`.

    Raises:
        ValueError: `fields` is something else, or names a field twice.
    """

    def __init__(self, fields: str) -> None: ...
    def decode(self, batch: Any) -> ArrowArray:
        """As `Transform.decode_events`: `reason, field, detail, at_byte, stored, record: struct` of the fields."""

class Program:
    """Compiled expressions. `program` is the JSON text of `CompiledExpressions.program`.

    Raises:
        ValueError: the program is of another format, or broken.
    """

    def __init__(self, program: str) -> None: ...
    def evaluate(self, batch: Any) -> ArrowArray:
        """A record batch of the fields and `as_of: timestamp[us]` in; one column per output out.

        Fields that the batch lacks are NULL; of another type than declared, too.
        """

def toml_positions(source: str) -> dict[str, tuple[int, int]]:
    """Dotted path of every key and table (array items by index) -> (line, column), both from 1.

    Raises:
        ValueError: not TOML; args are (message, line, column).
    """
