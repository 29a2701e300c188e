"""Steps of `hotpath test` that run beside each other: none is lost, whatever it prints and however it ends."""

from __future__ import annotations

import sys

import pytest

from infra.commands.run_tests import Step, _run


def step(name: str, program: str) -> Step:
    return Step(name, (sys.executable, "-c", program), {})


def test_each_step_is_told_with_its_own_code_and_what_it_printed(capfd: pytest.CaptureFixture[str]) -> None:
    steps = [
        step("fails", "import sys; print('on stdout'); sys.exit('on stderr')"),
        step("odd", r"import os; os.write(1, b'\xff is no UTF-8\n')"),
        Step("lacks", ("/nowhere/linter",), {}),
        step("last", "print('as it goes')"),
    ]
    ran = _run(steps)
    assert {each.name: code for each, code, _ in ran} == {"fails": 1, "odd": 0, "lacks": 1, "last": 0}
    told = capfd.readouterr().out
    assert "/nowhere/linter is not installed" in told
    own = dict(part.split("\n", 1) for part in told.split("== ")[1:])
    assert "on stdout" in own["fails"]
    assert "on stderr" in own["fails"]
    assert "\N{REPLACEMENT CHARACTER} is no UTF-8" in own["odd"]
    assert "as it goes" in own["last"]
