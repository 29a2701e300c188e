"""`.env` files by docker compose's documented rules, and one that was written for a value gives the value back."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.env_file import read_env_file
from contract.environment import VariableError

HAS = {"OTHER": "other", "EMPTY": ""}


def read(folder: Path, text: str) -> dict[str, str]:
    file, env = folder / ".env", dict(HAS)
    file.write_text(text, encoding="utf-8", newline="")
    read_env_file(file, env)
    return {name: value for name, value in env.items() if name not in HAS}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        # https://docs.docker.com/compose/how-tos/environment-variables/variable-interpolation/#env-file-syntax
        ("VAR=VAL", "VAL"),
        ('VAR="VAL"', "VAL"),
        ("VAR='VAL'", "VAL"),
        ("VAR=VAL # comment", "VAL"),
        ("VAR=VAL# not a comment", "VAL# not a comment"),
        ('VAR="VAL # not a comment"', "VAL # not a comment"),
        ('VAR="VAL" # comment', "VAL"),
        ("VAR='$OTHER'", "$OTHER"),
        ("VAR='${OTHER}'", "${OTHER}"),
        ("VAR='Let\\'s go!'", "Let's go!"),
        ('VAR="{\\"hello\\": \\"json\\"}"', '{"hello": "json"}'),
        ('VAR="some\\tvalue"', "some\tvalue"),
        ("VAR='some\\tvalue'", "some\\tvalue"),
        ("VAR=some\\tvalue", "some\\tvalue"),
        # the same page, interpolation
        ("VAR=${OTHER}", "other"),
        ("VAR=$OTHER/x", "other/x"),
        ("VAR=${NONE:-default}", "default"),
        ("VAR=${EMPTY:-default}", "default"),
        ("VAR=${EMPTY-default}", ""),
        ("VAR=${NONE-default}", "default"),
        ("VAR=${OTHER:?must}", "other"),
        ("VAR=${OTHER:+there}", "there"),
        ("VAR=${EMPTY:+there}", ""),
        ("VAR=${EMPTY+there}", "there"),
        ("VAR=${NONE:-${OTHER}}", "other"),
        ("VAR=${NONE:-${NOR:-deep}}", "deep"),
        ('VAR="${NONE:-a b}"', "a b"),
        ("VAR=$$OTHER", "$OTHER"),
        ('VAR="\\$OTHER"', "$OTHER"),
        ("VAR=a$1b$", "a$1b$"),
        # compose's own tests
        ("VAR =VAL", "VAL"),
        ("VAR= VAL", "VAL"),
        ("VAR: VAL", "VAL"),
        ("export VAR=VAL", "VAL"),
        ("export  VAR='VAL'", "VAL"),
        ("VAR=", ""),
        ('VAR=""', ""),
        ("VAR=a=b=c", "a=b=c"),
        ('VAR="two\nlines"', "two\nlines"),
        ('VAR="a\\nb\\\\n"', "a\nb\\n"),
        ("VAR=VAL\r", "VAL"),
        ("\n  # comment\n\n VAR=VAL", "VAL"),
        ("FIRST=1\nVAR=${FIRST}2", "12"),
        ("OTHER=mine\nVAR=$OTHER", "other"),
    ],
)
def test_a_line_gives_what_compose_makes_of_it(tmp_path: Path, text: str, value: str) -> None:
    for whole in (text, text + "\n", "\ufeff" + text, "A=1\n" + text + "\nZ=2\n"):
        assert read(tmp_path, whole)["VAR"] == value


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("A=1\nwhat is this\n", r"\.env:2: write NAME=value, not 'what is this'"),
        ("A=1\n\n1A=2", r"\.env:3: write NAME=value"),
        ("A=1\nB='x\nC=2\n", r"\.env:2: the value of B begins with a quote that never ends"),
        ('A="x"y', r"\.env:1: 'y' stands behind the closing quote of A"),
        ("A=${", r"\.env:1: .* is no variable; write \$\{NAME\}"),
        ("A=1\nB=${A/x/y}", r"\.env:2: .* is no variable"),
        ("A=${NONE:?name it}", r"\.env:1: NONE must be set: name it"),
        ('A=1\nB="\\0"', r"\.env:2: the value of B holds a NUL character"),
        ("A=1\nB=x\0y", r"\.env:2: the value of B holds a NUL character"),
        ("A=" + "${A:-" * 5000 + "}" * 5000, r"\.env:1: variables are nested too deeply"),
    ],
)
def test_a_line_that_is_wrong_is_named_with_the_remedy(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(VariableError, match=told):
        read(tmp_path, text)


def test_a_name_alone_takes_what_the_environment_has(tmp_path: Path) -> None:
    assert read(tmp_path, "OTHER\nexport NONE\nVAR=1\n") == {"VAR": "1"}


@given(value=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\0")))
def test_what_is_quoted_comes_back_as_it_was(tmp_path_factory: pytest.TempPathFactory, value: str) -> None:
    folder = tmp_path_factory.mktemp("env")
    double = value.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$")
    assert read(folder, f'VAR="{double}"\n') == {"VAR": value}
    if "\\" not in value:
        single = value.replace("'", "\\'")
        assert read(folder, f"VAR='{single}' # comment\n") == {"VAR": value}
