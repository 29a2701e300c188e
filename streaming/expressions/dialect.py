"""sqlglot's Spark dialect, cut down to what expressions may say: a function stays the name that was written."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, ClassVar

from sqlglot import exp
from sqlglot.dialects.spark import Spark
from sqlglot.parsers.spark import SparkParser
from sqlglot.tokenizer_core import TokenType

from streaming.expressions.expression_errors import Refused

_UNITS = {"DAY": 86_400, "HOUR": 3_600, "MINUTE": 60, "SECOND": 1}
_LONGEST = timedelta(days=100_000)


class _Parser(SparkParser):
    FUNCTIONS: ClassVar[dict[str, Any]] = {}
    FUNCTION_PARSERS: ClassVar[dict[str, Any]] = {"CAST": SparkParser.FUNCTION_PARSERS["CAST"]}
    NO_PAREN_FUNCTIONS: ClassVar[dict[TokenType, Any]] = {}
    NO_PAREN_FUNCTION_PARSERS: ClassVar[dict[str, Any]] = {"CASE": SparkParser.NO_PAREN_FUNCTION_PARSERS["CASE"]}

    def _parse_statement(self) -> exp.Expr | None:
        """There are no statements: `load`, `comment` or `set` at the beginning names a field like any other word."""
        return self._parse_expression() or self._parse_select()

    def _parse_interval(self, *_: Any, **__: Any) -> exp.Interval | None:
        """`INTERVAL` and one or more numbers with units; the node's meta has where it starts and ends."""
        first = self._curr
        if first.token_type is not TokenType.INTERVAL:
            return None
        self._advance()
        length = self._parse_part()
        while self._at_part():
            length += self._parse_part()
        if abs(length) > _LONGEST:
            raise Refused(first.start, f"an INTERVAL is at most {_LONGEST.days} days")
        node = exp.Interval()
        node.meta.update(start=first.start, end=self._prev.end, length=length)
        return node

    def _at_part(self) -> bool:
        """Whether another number with a unit follows; a minus without a unit after its number subtracts."""
        ahead = self._tokens[self._index : self._index + 3]
        if ahead and ahead[0].token_type is TokenType.DASH:
            return len(ahead) == 3 and ahead[2].text.upper().removesuffix("S") in _UNITS
        return bool(ahead) and ahead[0].token_type in (TokenType.NUMBER, TokenType.STRING)

    def _parse_part(self) -> timedelta:
        number = "-" if self._match(TokenType.DASH) else ""
        at = self._curr.start if self._curr else self._prev.end
        if not self._match_set((TokenType.NUMBER, TokenType.STRING)):
            raise Refused(at, "an INTERVAL is a number and a unit: INTERVAL 4 MINUTES")
        number += self._prev.text.strip()
        unit = self._curr.text.upper() if self._curr else ""
        seconds = _UNITS.get(unit.removesuffix("S"))
        if seconds is None:
            raise Refused(at, f"the unit after {number} is DAY, HOUR, MINUTE or SECOND, not {unit or 'missing'}")
        self._advance()
        return _length(at, number, seconds)


def _length(at: int, number: str, seconds: int) -> timedelta:
    try:
        amount = Decimal(number)
    except InvalidOperation:
        raise Refused(at, f"{number!r} is no number: write INTERVAL 4 MINUTES") from None
    micros = amount * seconds * 1_000_000
    if seconds != 1 and amount != int(amount):
        raise Refused(at, f"only seconds may have a fraction: write {amount * seconds:f} SECONDS")
    if micros != int(micros):
        raise Refused(at, "an INTERVAL has whole microseconds: at most six digits after the point")
    if abs(micros) > _LONGEST / timedelta(microseconds=1):
        raise Refused(at, f"an INTERVAL is at most {_LONGEST.days} days")
    return timedelta(microseconds=int(micros))


class Dialect(Spark):
    """What `sqlglot.parse` is given."""

    class Tokenizer(Spark.Tokenizer):
        COMMANDS: ClassVar[set[TokenType]] = set()

    Parser = _Parser
