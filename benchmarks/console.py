"""The console in a browser: its first load, an order of 200 events under the slider, and a list of 100,000 orders.

    python -m benchmarks.console

Chromium runs headless on this machine and reads from an engine on the loopback. The first load counts from the
navigation, with an empty cache and a CPU slowed four times, until the page has its heading; bytes are as sent,
compressed. Frames are counted while the page changes in every one of them: the slider moves, a list scrolls. The long
list is compared with one of 100 orders (``console_lists``). Each part is named on standard error when it begins:
filling 100,000 orders and building their views takes minutes, unless ``--folders`` names a place that has them.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from statistics import median, quantiles
from typing import TYPE_CHECKING

from benchmarks import console_lists
from benchmarks.console_window import Window, browser
from benchmarks.options import parser
from benchmarks.results import Row, at_least, at_most, publish
from workflows.cli.connection import minted
from workflows.cli.demo.engine_process import EngineProcess, engine
from workflows.cli.demo.menu import demo_order
from workflows.cli.demo.play import play
from workflows.cli.demo.stories import STORIES
from workflows.client import ExpediterClient

if TYPE_CHECKING:
    from playwright.sync_api import Browser

SLOWED = 4
EVENTS = 200
FRAMES = 240
MODULES_WITHIN_MS = 2_000

_FRAMES = """
async ([count, what]) => {
  const slider = document.querySelector('.slider'), list = document.querySelector('.timeline ol')
  const box = slider?.getBoundingClientRect()
  const moves = {
    slide: i => slider.dispatchEvent(new PointerEvent('pointermove', {
      bubbles: true, buttons: 1, clientX: box.left + box.width * Math.abs(((2 * i / count) % 2) - 1) })),
    timeline: i => list.scrollTop = (list.scrollHeight - list.clientHeight) * Math.abs(((2 * i / count) % 2) - 1),
    page: i => scrollTo(0, i * 40),
  }
  const took = []
  let last = await new Promise(requestAnimationFrame)
  for (let i = 0; i < count; i += 1) {
    moves[what](i)
    const now = await new Promise(requestAnimationFrame)
    took.push(now - last)
    last = now
  }
  return took
}
"""


def main() -> None:
    chosen = _arguments()
    rounds, orders = (3, 2_000) if chosen.quick else (15, 100_000)
    with tempfile.TemporaryDirectory() as temporary, browser() as opened:
        rows: list[Row] = []
        if chosen.only in ("", "order"):
            _begin(f"playing an order, with notes until it has {EVENTS} events")
            with _with_a_long_order() as (running, order_id):
                rows += [*_first_loads(opened, running, order_id, rounds), *_movements(opened, running, order_id)]
        if chosen.only in ("", "lists"):
            _begin(f"filling folders with {console_lists.FEW} and {orders:,} orders and their views")
            parent = chosen.folders or Path(temporary)
            folders = {number: console_lists.folder(parent, number) for number in (console_lists.FEW, orders)}
            rows += console_lists.rows(opened, folders, rounds, SLOWED, _begin)
    publish("console", rows, quick=chosen.quick or bool(chosen.only), as_json=chosen.json)


def _arguments() -> argparse.Namespace:
    made = parser(__doc__)
    made.add_argument("--only", choices=("order", "lists"), default="", help="one part; the results are not stored")
    made.add_argument("--folders", type=Path, help="where the filled data folders are made, and kept for another run")
    return made.parse_args()


@contextmanager
def _with_a_long_order() -> Iterator[tuple[EngineProcess, str]]:
    """Run an engine with a delivered order to which support added notes until it had 200 events."""
    with tempfile.TemporaryDirectory() as folder, engine(Path(folder), {}) as running:

        def sign_in(role: str, subject: str) -> ExpediterClient:
            return ExpediterClient(running.url, minted(running.data, role, subject, 3600))

        stories = [(STORIES[0], demo_order(Random("long"), STORIES[0].payment_method))]
        (played,) = play(stories, sign_in, "long", lambda _: None)
        order_id = played.view["id"]
        support = sign_in("support", "anna")
        for number in range(support.get(order_id)["version"], EVENTS):
            support.note(order_id, f"note {number}")
        yield running, order_id


def _first_loads(browser: Browser, running: EngineProcess, order_id: str, rounds: int) -> Iterator[Row]:
    for name, path in (("home", ""), ("an order of 200 events", f"orders/{order_id}")):
        took, sizes = [], {}
        for number in range(rounds):
            _begin(f"first load of {name}, {number + 1} of {rounds}")
            with Window(browser, running, path, SLOWED) as window:
                took.append(window.drawn_ms("heading"))
                window.page.wait_for_timeout(MODULES_WITHIN_MS)  # the graph's library comes after the heading
                sizes = {url: size for url, size in window.sizes.items() if "/console/" in url}
        detail = {"rounds": rounds, "files": len(sizes), "CPU slowed": SLOWED}
        yield Row(
            name=f"first load: {name}", value=median(took) / 1000, unit="s", target=at_most(1, "value"), detail=detail
        )
        yield Row(name=f"bytes: {name}", value=sum(sizes.values()) / 1000, unit="KB", target=at_most(150, "value"))


def _movements(browser: Browser, running: EngineProcess, order_id: str) -> Iterator[Row]:
    for slowed in (1, SLOWED):
        with Window(browser, running, f"orders/{order_id}", slowed) as window:
            window.page.wait_for_selector(".saga.ready")
            for what in ("slide", "timeline", "page"):
                _begin(f"{FRAMES} frames: {what}, CPU slowed {slowed} times")
                window.settle()
                before_ms = window.busy_ms()
                took: list[float] = window.page.evaluate(_FRAMES, [FRAMES, what])
                busy_ms = (window.busy_ms() - before_ms) / FRAMES
                yield Row(
                    name=f"an order of 200 events, {what}{'' if slowed == 1 else f', CPU slowed {slowed} times'}",
                    value=1000 * FRAMES / sum(took),
                    unit="frames/s",
                    target=at_least(50, "value"),
                    detail={
                        "frames": FRAMES,
                        "p95 ms": round(quantiles(took, n=20)[-1], 1),
                        "busy ms a frame": round(busy_ms, 1),
                        "CPU slowed": slowed,
                    },
                )


def _begin(part: str) -> None:
    print(f"{datetime.now(UTC):%H:%M:%S} {part}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
