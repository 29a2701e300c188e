"""A `.env` file, read as docker compose reads it (compose-spec/compose-go, `dotenv` and `template`).

`NAME=value`, `NAME: value` or `export NAME=value` on a line; a line with a name alone takes the value that the
environment has. Blank lines and lines that begin with `#` are skipped. Of an unquoted value ` #` begins a comment.
Quoted values may span lines; in single quotes only the quote itself is escaped, in double quotes the usual escapes
work too. In unquoted and double-quoted values variables are replaced: `$NAME`, `${NAME}`, `${NAME:-default}`,
`${NAME-default}`, `${NAME:+other}`, `${NAME+other}`, `${NAME:?error}`, `${NAME?error}`; `$$` is a dollar sign. What the
environment has wins over what the file says. Unlike compose, text behind a closing quote is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, MutableMapping
from pathlib import Path
from typing import Final

from contract.environment import VariableError

LookUp = Callable[[str], str | None]

_BLANK: Final = re.compile(r"\s*(?:#[^\n]*(?:\n|$)\s*)*")
"""Blank lines and comments, up to the next statement."""
_NAME: Final = re.compile(r"(?:export(?=[ \t]))?[ \t]*([A-Za-z_][A-Za-z0-9_.\-\[\]]*)[ \t\r]*(?:([=:])[ \t]*|(?=\n)|$)")
_QUOTED: Final = {
    "'": re.compile(r"'((?:[^'\\]|\\.)*)'", re.DOTALL),
    '"': re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL),
}
_REST: Final = re.compile(r"[ \t\r]*(?:#[^\n]*)?(?=\n|$)")
"""What may stand behind a closing quote."""
_ESCAPE: Final = re.compile(r'\\([abcfnrtv$"\\]|0[0-7]{0,3})')
_ESCAPES: Final = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "$": "$$"}
_REFERENCE: Final = re.compile(r"\$(?:(\$)|([A-Za-z_][A-Za-z0-9_]*)|(\{))")
_BRACED: Final = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)(:?[-+?])?")


def read_env_file(path: Path, env: MutableMapping[str, str]) -> None:
    """Add what a `.env` file says to `env`; what is there already stays. A file that is not there says nothing.

    Raises:
        VariableError: the file cannot be read, or a line is wrong; it is named.
    """
    if not path.is_file():
        return
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise VariableError(f"{path} cannot be read: {error}; make it a readable file in UTF-8") from None
    for name, value in _statements(path, text, env):
        env.setdefault(name, value)


def _statements(path: Path, text: str, env: MutableMapping[str, str]) -> list[tuple[str, str]]:
    said: dict[str, str] = {}
    at = _skip(text, 0)
    while at < len(text):
        line = text.count("\n", 0, at) + 1
        try:
            name, value, at = _statement(text, at, lambda wanted: env.get(wanted, said.get(wanted)))
            if "\0" in (value or ""):
                raise ValueError(f"the value of {name} holds a NUL character, which no variable can; remove it")
        except ValueError as error:
            raise VariableError(f"{path}:{line}: {error}") from None
        except RecursionError:
            raise VariableError(f"{path}:{line}: variables are nested too deeply; write the value itself") from None
        if value is not None:
            said[name] = value
        at = _skip(text, at)
    return list(said.items())


def _skip(text: str, at: int) -> int:
    found = _BLANK.match(text, at)
    return found.end() if found else at


def _statement(text: str, at: int, look_up: LookUp) -> tuple[str, str | None, int]:
    """Name, value and where the next statement may begin; no value for a name that stands alone."""
    named = _NAME.match(text, at)
    if named is None:
        raise ValueError(f"write NAME=value, not {_line(text, at)!r}")
    if named[2] is None:
        return named[1], None, named.end()
    quoted = _QUOTED.get(text[named.end() : named.end() + 1])
    if quoted is None:
        raw = _line(text, named.end())
        return named[1], _interpolated(raw.partition(" #")[0].rstrip(), look_up), named.end() + len(raw)
    found = quoted.match(text, named.end())
    if found is None:
        raise ValueError(f"the value of {named[1]} begins with a quote that never ends")
    if not _REST.match(text, found.end()):
        rest = _line(text, found.end()).strip()
        raise ValueError(f"{rest!r} stands behind the closing quote of {named[1]}; quote the value as a whole")
    return named[1], _unquoted(found[0][0], found[1], look_up), found.end()


def _line(text: str, at: int) -> str:
    return text[at:].partition("\n")[0]


def _unquoted(quote: str, inner: str, look_up: LookUp) -> str:
    if quote == "'":
        return inner.replace("\\'", "'")
    return _interpolated(_ESCAPE.sub(_escaped, inner), look_up)


def _escaped(found: re.Match[str]) -> str:
    code = found[1]
    if code.startswith("0"):
        return chr(int(code, 8) & 0xFF) if len(code) > 1 else "\0"
    return _ESCAPES.get(code, found[0] if code == "c" else code)


def _interpolated(text: str, look_up: LookUp) -> str:
    """The text with its variables replaced.

    Raises:
        ValueError: braces are not closed or hold something else, or a variable that must be set is not.
    """
    parts, at = list[str](), 0
    while found := _REFERENCE.search(text, at):
        parts.append(text[at : found.start()])
        if found[3]:
            value, at = _braced(text, found.start(3), look_up)
        else:
            value, at = "$" if found[1] else look_up(found[2]) or "", found.end()
        parts.append(value)
    return "".join([*parts, text[at:]])


def _braced(text: str, at: int, look_up: LookUp) -> tuple[str, int]:
    """The value of the braces that begin at `at`, and where they end."""
    head, end = _BRACED.match(text, at), _closing(text, at)
    if head is None or end < 0 or (head[2] is None and head.end() != end):
        raise ValueError(f"{text[at - 1 :]!r} is no variable; write ${{NAME}}, or $$ for a dollar sign")
    name, operator, argument = head[1], head[2] or "", text[head.end() : end]
    value = look_up(name)
    is_there = bool(value) if operator.startswith(":") else value is not None
    match operator[-1:]:
        case "-":
            chosen = value if is_there else _interpolated(argument, look_up)
        case "+":
            chosen = _interpolated(argument, look_up) if is_there else ""
        case "?" if not is_there:
            raise ValueError(f"{name} must be set: {_interpolated(argument, look_up)}")
        case _:
            chosen = value
    return chosen or "", end + 1


def _closing(text: str, at: int) -> int:
    """Where the brace that opens at `at` closes; -1 where it does not."""
    depth = 0
    for place in range(at, len(text)):
        depth += {"{": 1, "}": -1}.get(text[place], 0)
        if depth == 0:
            return place
    return -1
