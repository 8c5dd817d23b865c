"""A page opened in headless Chromium: what it asks for, what it complains of, and how wide it is."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

_TOO_WIDE = """() => {
  const width = document.documentElement.clientWidth, wide = [];
  const scrolls = e => ['auto', 'scroll'].includes(getComputedStyle(e).overflowX);
  for (const e of document.body.querySelectorAll('*')) {
    const box = e.getBoundingClientRect();
    if (box.width === 0 || (box.right <= width + 1 && box.left >= -1)) continue;
    let above = e.parentElement;
    while (above && above !== document.body && !scrolls(above)) above = above.parentElement;
    if (!above || above === document.body) wide.push(`${e.tagName} ${e.className} ${box.right}`);
  }
  return wide;
}"""
"""Elements that reach beyond the page, but for what lies in a box of its own that scrolls."""


@dataclass(frozen=True)
class Opened:
    """What happened when a page was opened at one width.

    Attributes:
        messages: of the console, and errors of scripts.
        requests: all addresses that were asked for but the page's own and data in it.
        too_wide: elements that reach beyond the page.
        page_width: the width of all there is, to be compared with the window's.
        broken_images: images that could not be shown.
    """

    messages: tuple[str, ...]
    requests: tuple[str, ...]
    too_wide: tuple[str, ...]
    page_width: int
    broken_images: int


def chromium() -> str:
    """Where Chromium is; without it the test is skipped, in CI it fails."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        reason = "no Chromium: apt-get install chromium"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return found


def open_page(path: Path, width: int, pdf: Path | None = None) -> Opened:
    """Open a file, without a network, in a window of `width` pixels; print it to `pdf`."""
    program = chromium()
    from playwright.sync_api import sync_playwright

    messages: list[str] = []
    requests: list[str] = []
    own = path.resolve().as_uri()
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": width, "height": 900})
        page.on("console", lambda message: messages.append(message.text))
        page.on("pageerror", lambda error: messages.append(str(error)))
        page.on("request", lambda request: requests.append(request.url))
        page.goto(own)
        too_wide = page.evaluate(_TOO_WIDE)
        page_width = page.evaluate("document.documentElement.scrollWidth")
        broken = page.evaluate("[...document.images].filter(i => !(i.complete && i.naturalWidth)).length")
        if pdf is not None:
            page.pdf(path=str(pdf), prefer_css_page_size=True, print_background=True)
        browser.close()
    asked = tuple(url for url in requests if url != own and not url.startswith("data:"))
    return Opened(tuple(messages), asked, tuple(too_wide), page_width, broken)
