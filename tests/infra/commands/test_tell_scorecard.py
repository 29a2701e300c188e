"""`hotpath scorecard`: what a person reads, and what a program does."""

from __future__ import annotations

import json

import pytest

from contract.manifest import manifest_from
from infra.cli import main
from infra.commands.tell_scorecard import show
from tests.manifests import manifest_of
from tests.scorecards import as_json, card_of, tolerance_card

VERSION = "flights-20261121T021700Z"
CARD = as_json(card_of(tolerance_card("careful", 0.8, 0.1), tolerance_card("strict"), default="careful"))


def test_it_tells_thresholds_rates_what_lacks_and_what_is_guaranteed(capsys: pytest.CaptureFixture[str]) -> None:
    assert show(manifest_from(manifest_of(VERSION, scorecard=CARD)), as_json=False) == 0
    told = capsys.readouterr().out
    for words in (
        "decides: positive from 0.8000, negative up to 0.1000, else it abstains",
        "75 % of the answers get a decision (95 % interval 70 % to 80 %)",
        "false_omission_rate, bound 5 %: per entity 2 % seen (n 300), below 4 %; per answer 2 % seen (n 300)",
        "1 of 41.2 wrong per answer (false_omission_rate, bound 5 %); 93 would be needed at that rate, some 1.8 hours",
        "valid until 2026-11-24T12:00:00.000Z; then it abstains",
        "The rows come from one clock hour.",
        "without a tolerance in the request careful decides",
    ):
        assert words in told, words


def test_for_a_program_it_is_the_card_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert show(manifest_from(manifest_of(VERSION, scorecard=CARD)), as_json=True) == 0
    assert json.loads(capsys.readouterr().out) == CARD


def test_a_model_without_one_says_why(capsys: pytest.CaptureFixture[str]) -> None:
    assert show(manifest_from(manifest_of(VERSION)), as_json=False) == 1
    assert "states no risk tolerance" in capsys.readouterr().err


def test_what_is_no_version_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["scorecard", "the-best"]) == 2
    assert "'the-best' is no version" in capsys.readouterr().err
