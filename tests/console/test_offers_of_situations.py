"""Every situation of ``docs/situations.md`` in the console: when support needs an action, the order's page offers it.

The situations are played in memory. At each action the console's own functions, run by node, are given what the page
has read from the API.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from tests.console.stage import REPOSITORY
from tests.incidents import test_situations
from tests.incidents.test_situations import SITUATIONS, Desk
from tests.simulated_engine import SimulatedEngine
from workflows.client import ExpediterClient

ELSEWHERE = {"a circuit is held open and orders wait"}
"""Solved on the page Circuits, to which the order's page leads: ``test_solving.py``."""


class Page:
    """The functions of the order's page, in a process of node."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def asked(self, question: Any) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    node = shutil.which("node")
    if node is None:
        pytest.skip("no node here: the console's functions are run by it")
    script = REPOSITORY / "tests" / "console" / "core" / "offers.mjs"
    with subprocess.Popen([node, str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield Page(process)


@dataclass
class WatchedDesk(Desk):
    """Support that looks at the order's page before each preview: it must offer that action, with that preview."""

    page: Page = field(init=False)
    offered: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.sue, self.sam = self._watched("sue"), self._watched("sam")

    def _watched(self, name: str) -> ExpediterClient:
        reader = self.engine.client("support", name)

        def serve(request: httpx.Request) -> httpx.Response:
            answer = self.engine._serve(request)
            sent = json.loads(request.content or b"{}")
            if sent.pop("dry_run", False):
                offer = self._offer(reader, request.url.path, sent)
                made = offer["body"] | {name: sent[name] for name in ("ready_at",) if name in sent}  # of another clock
                headers = {name: value for name, value in request.headers.items() if name != "content-length"}
                again = httpx.Request("POST", request.url, headers=headers, json=made | {"dry_run": True})
                plan = self.engine._serve(again).json()["plan"]
                assert plan == answer.json()["plan"], offer["title"]
                assert offer["blocked"] == (plan["refused"] and plan["refused"]["detail"])
                self.offered.append(offer["title"])
            return answer

        http = httpx.Client(transport=httpx.MockTransport(serve))
        return ExpediterClient("http://engine", f"support:{name}", http=http, sleep=self.engine.sleep)

    def _offer(self, reader: ExpediterClient, path: str, sent: Any) -> Any:
        """What the page offers that sends this."""
        asked = {
            "id": self.order_id,
            "order": reader.get(self.order_id),
            "why": reader.why(self.order_id),
            "events": list(reader.history(self.order_id)),
            "me": reader.me(),
        }
        answer = self.page.asked({**asked, "path": path.removeprefix("/"), "sent": sent})
        assert len(answer["found"]) == 1, f"{path} {sent} is not offered, or twice; offered: {answer['offered']}"
        return answer["found"][0]


@pytest.mark.parametrize("name", SITUATIONS)
def test_the_order_page_offers_each_action_that_a_situation_needs(
    name: str, page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the preview that the action has, and blocked where the API refuses it."""
    monkeypatch.setattr(WatchedDesk, "page", page, raising=False)
    monkeypatch.setattr(test_situations, "Desk", WatchedDesk)
    desk = SITUATIONS[name](SimulatedEngine(SecondPersonAbove="20.00 EUR"))
    assert isinstance(desk, WatchedDesk)
    assert bool(desk.offered) == (name not in ELSEWHERE)
    assert name in ELSEWHERE or len(desk.offered) == desk.actions + len(desk.refused)
