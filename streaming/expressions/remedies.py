"""What to write instead of the SQL that this language does not have."""

from __future__ import annotations

INSTEAD_OF: dict[str, str] = {
    "if": "CASE WHEN condition THEN a ELSE b END",
    "iff": "CASE WHEN condition THEN a ELSE b END",
    "decode": "CASE value WHEN a THEN b END",
    "ifnull": "coalesce(a, b)",
    "nvl": "coalesce(a, b)",
    "isnull": "x IS NULL",
    "isnotnull": "x IS NOT NULL",
    "substr": "substring(text, position, length)",
    "left": "substring(text, 1, length)",
    "right": "substring(text, -length)",
    "char_length": "length(text)",
    "character_length": "length(text)",
    "len": "length(text)",
    "ucase": "upper(text)",
    "lcase": "lower(text)",
    "ceiling": "ceil(x)",
    "log": "ln(x)",
    "mod": "a % b",
    "pmod": "((a % b) + b) % b",
    "negative": "-x",
    "date_diff": "timestampdiff(DAY, start, end)",
    "datediff": "timestampdiff(DAY, start, end)",
    "unix_timestamp": "unix_seconds(moment)",
    "to_unix_timestamp": "unix_seconds(CAST(text AS TIMESTAMP))",
    "to_timestamp": "CAST(text AS TIMESTAMP)",
    "timestamp": "CAST(text AS TIMESTAMP)",
    "timestamp_seconds": "CAST(seconds AS TIMESTAMP)",
    "timestamp_millis": "CAST(milliseconds / 1000.0 AS TIMESTAMP)",
    "now": "as_of, the moment of the question",
    "current_timestamp": "as_of, the moment of the question",
    "current_date": "as_of, the moment of the question",
    "try_cast": "CAST(x AS type): a bad value gives NULL already",
    "bigint": "CAST(x AS BIGINT)",
    "int": "CAST(x AS BIGINT)",
    "double": "CAST(x AS DOUBLE)",
    "string": "CAST(x AS STRING)",
}
"""Functions that people will try, and what says the same here."""

TYPES: dict[str, str] = {
    "INT": "integers have 64 bits, write BIGINT",
    "SMALLINT": "integers have 64 bits, write BIGINT",
    "TINYINT": "integers have 64 bits, write BIGINT",
    "FLOAT": "floating point has 64 bits, write DOUBLE",
    "DECIMAL": "there are no decimals, write DOUBLE",
    "DATE": "write TIMESTAMP",
}

CONSTRUCTS: dict[str, str] = {
    "Alias": "a name after an expression is not accepted: the feature has its own",
    "NullSafeEQ": "there is no <=>: write a = b OR (a IS NULL AND b IS NULL)",
    "IntDiv": "there is no DIV: write CAST(a / b AS BIGINT)",
    "Like": "there is no LIKE: compare with = or use substring(text, position, length)",
    "Subquery": "there are no subqueries: an expression sees one event",
    "Select": "there are no subqueries: an expression sees one event",
    "Star": "there is no *: name the field",
    "Window": "there are no windows: an expression sees one event",
    "Bracket": "there are no arrays: fields are string, int, double, boolean or timestamp",
    "Tuple": "there are no lists outside IN (...)",
}
"""Syntax that sqlglot reads and this language does not have."""
