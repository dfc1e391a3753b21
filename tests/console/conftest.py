"""One engine with orders of every kind and one browser, for all tests of the console in a browser."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from tests.console.stage import REPOSITORY, Stage, chromium, open_stage
from workflows.console.files import ConsoleFiles

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Request


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Debian's chromium, never a downloaded one. While it runs, no other test of its process can run an event loop."""
    path = chromium()
    if path is None:
        pytest.skip("no chromium here: apt-get install chromium")
    if ConsoleFiles().missing():
        pytest.skip("the console's libraries are not installed here: make console")
    from playwright.sync_api import sync_playwright

    options = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=options)
        yield opened
        opened.close()


@pytest.fixture(scope="package")
def stage(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """One engine for all tests: each test that changes an order has its own."""
    with open_stage(tmp_path_factory.mktemp("stage")) as opened:
        yield opened


WITHIN_S = 45
"""How long a test waits for what must come, on a machine with much other work."""

_TWO_FRAMES = (
    "() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(drawn))))"
)


class Visit:
    """A window of the browser that collects what must not happen: errors, violations of the policy, other hosts.

    The policy lets no text be evaluated. So ``page.wait_for_function`` needs a function, ``() => ...``: an expression
    fails unless it is true at the first look.
    """

    def __init__(self, page: Page, stage: Stage) -> None:
        self.page = page
        self.stage = stage
        self.faults: list[str] = []
        self._asked = 0
        self._under_way: set[Request] = set()
        page.on("request", self._begin)
        page.on("requestfinished", self._end)
        page.on("requestfailed", self._end)
        page.add_init_script(
            "addEventListener('securitypolicyviolation', "
            "e => console.error(`policy: ${e.violatedDirective} ${e.blockedURI}`))"
        )
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("console", lambda line: line.type == "error" and self._note(line.text))
        page.on(
            "request", lambda sent: sent.url.startswith((stage.url, "blob:", "ws:")) or self.faults.append(sent.url)
        )

    def _begin(self, sent: Request) -> None:
        if "wait_s=" not in sent.url:  # a read that waits for a change
            self._asked += 1
            self._under_way.add(sent)

    def _end(self, sent: Request) -> None:
        self._under_way.discard(sent)

    def settle(self) -> None:
        """Wait until the page has all that it asked for, and has drawn it."""
        is_settled = False
        deadline = time.monotonic() + WITHIN_S
        while not is_settled:
            assert time.monotonic() < deadline, [each.url for each in self._under_way]
            asked, is_quiet = self._asked, not self._under_way
            self.page.evaluate(_TWO_FRAMES)
            is_settled = is_quiet and not self._under_way and self._asked == asked

    def _note(self, text: str) -> None:
        if "Failed to load resource" not in text and "ERR_INTERNET_DISCONNECTED" not in text:  # answers that are errors
            self.faults.append(text)

    def open(self, path: str = "", role: str = "support", subject: str = "anna") -> Page:
        """Open a page in a role, and wait until it is drawn."""
        self.page.goto(self.stage.login(role, subject, path))
        self.page.wait_for_selector("#main:not(.login)")
        self.page.wait_for_selector("main :is(h1, .notice)")
        self.page.wait_for_selector("main [aria-busy=true]", state="detached")
        return self.page


@contextmanager
def visiting(browser: Browser, stage: Stage) -> Iterator[Visit]:
    """Open a new window on an engine. At its end nothing must have gone wrong in it."""
    context = browser.new_context(
        viewport={"width": 1440, "height": 900}, reduced_motion="reduce", timezone_id="Europe/Rome"
    )
    context.set_default_timeout(WITHIN_S * 1000)
    visit = Visit(context.new_page(), stage)
    yield visit
    visit.page.unroute_all(behavior="ignoreErrors")  # the page may be reading something again
    context.close()
    assert visit.faults == []


@pytest.fixture
def visit(browser: Browser, stage: Stage) -> Iterator[Visit]:
    """A new window on the engine of all tests."""
    with visiting(browser, stage) as opened:
        yield opened


def axe(visit: Visit) -> list[str]:
    """The violations that axe-core finds in the page as it is."""
    script = next((REPOSITORY / ".tools" / "console").glob("axe-core-*/axe.min.js"), None)
    if script is None:
        pytest.skip("axe-core is not installed here: make setup")
    visit.page.evaluate(script.read_text())
    found = visit.page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{each['id']}: {each['nodes'][0]['html'][:160]} {each['nodes'][0]['failureSummary']}"
        for each in found["violations"]
    ]


def eventually(read: Any) -> Any:
    """What a view shows once it has followed the log."""
    deadline = time.monotonic() + WITHIN_S
    while not (found := read()):
        assert time.monotonic() < deadline, "nothing came"
        time.sleep(0.05)
    return found
