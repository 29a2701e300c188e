"""Pictures of the status page for the README: `hotpath bench pictures [--page URL] [--into FOLDER]`.

Takes them of the running stack, by a headless Chromium, and writes them to docs/pictures. It refuses to take any before
the page has figures of outcomes to show, and none is larger than 200 kB.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from playwright.sync_api import Error, FloatRect, Locator, Page, sync_playwright

from infra.ports import Ports
from infra.settings import ROOT, Settings

FOLDER: Final = ROOT / "docs" / "pictures"
CHROMIUM: Final = ("chromium", "chromium-browser", "google-chrome")
WIDTH, HEIGHT = 1240, 900
LARGEST_BYTES: Final = 200_000
MARGIN: Final = 14


class NoPicture(Exception):
    """A picture cannot be taken; the message says why, and what to do."""


@dataclass(frozen=True)
class Picture:
    """What is between the first element and the last, over the width of the page, as `name`.png."""

    name: str
    first: str
    last: str


PICTURES: Final = (
    Picture("status-page", "section.pipeline .headline", "section.pipeline .charts"),
    Picture("figures-and-slices", "section.pipeline h2:has(+ table.figures)", "section.pipeline table.slices"),
)


def take(address: str, folder: Path) -> Iterator[Path]:
    """Take each picture of the first pipeline at this address.

    Raises:
        NoPicture: there is no Chromium or no page, the page has no figures yet, or a picture is too large.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_chromium(), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        try:
            page.goto(address)
        except Error as error:
            raise NoPicture(f"there is no status page at {address} ({error.message.splitlines()[0]})") from error
        for picture in PICTURES:
            yield _taken(page, picture, folder)
        browser.close()


def _taken(page: Page, picture: Picture, folder: Path) -> Path:
    content = page.screenshot(clip=_between(page, picture), full_page=True)
    if len(content) > LARGEST_BYTES:
        raise NoPicture(
            f"{picture.name} has {len(content):,} bytes, more than {LARGEST_BYTES:,}: take less of the page"
        )
    path = folder / f"{picture.name}.png"
    path.write_bytes(content)
    return path


def _between(page: Page, picture: Picture) -> FloatRect:
    first, last = (_box(page.locator(selector).first, selector) for selector in (picture.first, picture.last))
    top, bottom = first["y"] - MARGIN, last["y"] + last["height"] + MARGIN
    return {"x": 0, "y": max(0, top), "width": WIDTH, "height": bottom - max(0, top)}


def _box(element: Locator, selector: str) -> FloatRect:
    box = element.bounding_box() if element.count() else None
    if box is None:
        raise NoPicture(f"the page shows no {selector!r} yet: wait until outcomes of both kinds have come")
    return box


def _chromium() -> str:
    found = next((path for name in CHROMIUM if (path := shutil.which(name))), None)
    if found is None:
        raise NoPicture("there is no Chromium; install it: apt-get install chromium")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(prog="hotpath bench pictures", description=__doc__)
    parser.add_argument("--page", metavar="URL", help="the status page; by default that of this checkout's stack")
    parser.add_argument("--into", metavar="FOLDER", type=Path, default=FOLDER)
    given = parser.parse_args()
    address = given.page or f"http://{Ports.of(Settings.from_environment()).address('page')}/"
    try:
        for path in take(address, given.into):
            print(f"{path} {path.stat().st_size:,} bytes")
    except NoPicture as error:
        sys.exit(f"hotpath: {error}")


if __name__ == "__main__":
    main()
