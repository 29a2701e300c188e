"""The page of one model: thresholds, charts, what lacks, and words for whoever answers for the risk."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from xml.etree import ElementTree

import msgspec

from contract.manifest import Manifest, manifest_from
from contract.pipeline import Costs, Scorecard, Tolerance
from contract.scorecard import Card
from monitoring.page.card_charts import calibration_chart, risk_chart
from monitoring.page.page_server import HTML, Pages
from monitoring.page.view import View
from tests.manifests import manifest_of
from tests.monitoring.page.test_page_server import a_view, showing
from tests.training.scorecard.holdouts import parts
from training.scorecard.make_card import make_card

VERSION = "flights-20261121T021700Z"
WANTED = Scorecard(
    (
        Tolerance("careful", false_omission_rate=0.05, false_discovery_rate=0.2),
        Tolerance("strict", false_omission_rate=0.0005),
        Tolerance("cheap", cost=Costs(1.0, 5.0, 0.2, 0.16)),
    ),
    "careful",
)


@cache
def a_card() -> Card:
    compare, calibrate = parts(1500)
    return make_card(compare, calibrate, WANTED, datetime(2026, 11, 24, 12, tzinfo=UTC))


def a_manifest(card: Card | None, version: str = VERSION) -> Manifest:
    return msgspec.structs.replace(manifest_from(manifest_of(version)), scorecard=card)


def with_manifests(*manifests: Manifest) -> View:
    view = a_view()
    pipeline = replace(view.pipelines[0], manifests={each.version: each for each in manifests})
    return replace(view, pipelines=[pipeline])


def page_of(pages: Pages, path: str) -> str:
    status, kind, body = pages.answer(path)
    assert (status, kind) == (200, HTML)
    return body.decode()


def test_a_models_page_tells_its_thresholds_what_lacks_and_what_is_guaranteed() -> None:
    card = a_card()
    page = page_of(showing(with_manifests(a_manifest(card))), f"/models/{VERSION}")
    careful = card.tolerances[0]
    assert careful.at_least is not None
    assert careful.at_most is not None
    for words in (
        f"positive from {careful.at_least:.4f}, negative up to {careful.at_most:.4f}",
        "not attainable with this model: every answer abstains",
        "would be needed with nothing wrong per entity",
        "careful (decides where a caller names none)",
        "What this guarantees",
        "The rows come from 3 clock hours.",
        "Valid until 2026-11-24T12:00:00.000Z",
        "an answer costs at most 0.16 on average",
    ):
        assert words in page, words


def test_the_status_page_links_to_the_cards_of_the_newest_models() -> None:
    pages = showing(with_manifests(a_manifest(a_card()), a_manifest(None, "flights-20261121T021800Z")))
    page = page_of(pages, "/")
    assert f'<a href="models/{VERSION}">' in page
    assert "models/flights-20261121T021800Z" not in page, "it has none"
    assert pages.answer("/models/flights-20261121T021800Z")[0] == 404


def test_a_page_is_made_once_and_goes_with_its_model() -> None:
    manifest = a_manifest(a_card())
    pages = showing(with_manifests(manifest))
    first = pages.answer(f"/models/{VERSION}")
    pages.show(with_manifests(manifest))
    assert pages.answer(f"/models/{VERSION}") is first
    pages.show(with_manifests())
    assert pages.answer(f"/models/{VERSION}")[0] == 404


def test_charts_are_well_formed_and_mark_the_threshold() -> None:
    card = a_card()
    negative = card.tolerances[0].negative
    assert negative is not None
    chart = ElementTree.fromstring(risk_chart(negative, 0))
    assert len(chart.findall("polyline")) == 2
    assert len([line for line in chart.findall("line") if line.get("class") == "mark"]) == 1
    strict = card.tolerances[1].negative
    assert strict is not None
    assert 'class="mark"' not in risk_chart(strict, 0), "there is none to mark"
    assert len(ElementTree.fromstring(calibration_chart(card.calibration)).findall("circle")) == 10
    assert ElementTree.fromstring(calibration_chart([])) is not None
