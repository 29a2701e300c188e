"""Steps of `hotpath test` that run beside each other: none is lost, whatever it prints and however it ends."""

from __future__ import annotations

import sys
from argparse import ArgumentParser

import pytest

from infra.commands.run_tests import Step, _run, _steps, add_parser, own_engines


def steps_of(*words: str) -> dict[str, tuple[str, ...]]:
    """Name -> command of each step of `hotpath test` with these words."""
    parser = ArgumentParser()
    add_parser(parser.add_subparsers())
    return {step.name: step.command for steps in _steps(parser.parse_args(["test", *words])) for step in steps}


def marks(command: tuple[str, ...]) -> str:
    return command[command.index("-m", 3) + 1] if "-m" in command[3:] else ""


def test_quick_has_one_stack_and_no_engines_of_its_own() -> None:
    steps = steps_of("--quick")
    assert "pytest, with engines of their own" not in steps
    assert marks(steps["pytest, with the stack"]) == "not restarts and not patient and not deep"


def test_what_takes_long_runs_with_deep_alone() -> None:
    assert all("not deep" in marks(command) for name, command in steps_of().items() if "pytest" in name)
    assert all("deep" not in marks(command) for name, command in steps_of("--deep").items() if "pytest" in name)
    assert "deep" not in marks(steps_of("tests/contract")["pytest"]), "what is named is run"


def test_a_test_that_asks_for_no_stack_has_engines_of_its_own() -> None:
    own = own_engines()
    assert {"tests/integration/test_parity.py", "tests/integration/test_losses.py"} <= set(own)
    assert not {"tests/integration/test_stack.py", "tests/integration/test_hot_query.py"} & set(own)


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
