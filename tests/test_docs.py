"""The documents name what is there: files of CONTRIBUTING.md, rooms of docs/architecture.md, links between pages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from infra.settings import ROOT

PACKAGES = ("contract", "streaming", "training", "serving", "monitoring", "infra")
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])


def rooms() -> set[str]:
    """The folders of Python or Rust directly below a package."""
    found = (folder for package in PACKAGES for folder in (ROOT / package).iterdir() if folder.is_dir())
    named = {f"{folder.parent.name}/{folder.name}" for folder in found if not folder.name.startswith((".", "_"))}
    return {name for name in named if name not in ("infra/locks", "contract/messages")}


def rooms_in_the_architecture() -> set[str]:
    """The rooms in the table's first column: `a/b`, and `c` of the same package after a comma."""
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    table = text.partition("| room | what is in it |")[2].partition("\n\n")[0]
    found = set()
    for row in table.splitlines():
        names = re.findall(r"`([a-z0-9_/]+)`", row.partition("|")[2].partition("|")[0])
        package = names[0].partition("/")[0] if names else ""
        found |= {name if "/" in name else f"{package}/{name}" for name in names}
    return found


def test_the_architecture_names_every_room() -> None:
    assert rooms() - rooms_in_the_architecture() == set()


def test_every_room_of_the_architecture_is_there() -> None:
    plain = {"contract/contract", "benchmarks/benchmarks"}
    for name in rooms_in_the_architecture() - plain:
        assert (ROOT / name).exists() or (ROOT / f"{name}.py").exists(), name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_that_a_page_names_is_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    named = re.findall(
        rf"`((?:{'|'.join(PACKAGES)}|tests|examples|benchmarks|docs)/[\w/.-]+\.(?:py|rs|toml|md))`", text
    )
    assert [name for name in named if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_page_begins_with_its_title(page: Path) -> None:
    assert page.read_text(encoding="utf-8").startswith("# ")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_test_that_a_page_names_is_there(page: Path) -> None:
    there = {path.name for path in (ROOT / "tests").rglob("test_*.py")}
    named = set(re.findall(r"\b(test_\w+\.py)", page.read_text(encoding="utf-8")))
    assert named - there == set()


def test_contributing_answers_ten_questions() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    answers = text.partition("| you want to | begin with |")[2].partition("\n\n")[0]
    assert len(re.findall(r"`[\w/]+\.py`", answers)) == 10


def test_no_module_name_means_two_things() -> None:
    """A name of a module stands once in the product. Crates have names of their own."""
    stems = [path.stem for package in PACKAGES for path in (ROOT / package).rglob("*.py") if path.stem != "__init__"]
    assert sorted({stem for stem in stems if stems.count(stem) > 1}) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_picture_that_a_page_shows_is_there_and_small(page: Path) -> None:
    shown = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", page.read_text(encoding="utf-8"))
    assert [name for name in shown if not 0 < (page.parent / name).stat().st_size <= 200_000] == []


def test_every_picture_is_shown() -> None:
    shown = {name for page in PAGES for name in re.findall(r"pictures/([\w-]+\.png)", page.read_text(encoding="utf-8"))}
    assert {path.name for path in (ROOT / "docs" / "pictures").glob("*.png")} == shown
