"""The list of orders for ``benchmarks.console``: an engine with 100 orders and one with very many, side by side.

Both engines run at once and take turns, so that a busy minute of the machine is in both. Whatever is timed draws as
many rows on both: a page of 50, or one order.
"""

from __future__ import annotations

import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from statistics import median
from typing import TYPE_CHECKING

from benchmarks import filled
from benchmarks.console_window import Window
from benchmarks.results import Beside, Row, at_most
from domain.identifiers import order_id_for
from workflows.cli.demo.engine_process import EngineProcess, engine
from workflows.embedded.files import DATABASE
from workflows.sqlite.database import Database

if TYPE_CHECKING:
    from playwright.sync_api import Browser

FEW = 100
SAME = 1.2
"""How much longer something may take and still feel the same: people notice a fifth."""

_CHOOSE = """
const select = [...document.querySelectorAll('.filters label')].find((label) => label.innerText.includes(given[0]))
  .querySelector('select')
select.value = given[1]
select.dispatchEvent(new Event('change', { bubbles: true }))
await seen(() => (given[2] ? rows().length === 50 : !rows().length))
"""

_SEARCH = """
const box = document.querySelector('#search')
const key = (key) => box.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }))
box.focus()
for (const letter of given.slice(-8)) {
  box.value += letter
  box.dispatchEvent(new Event('input', { bubbles: true }))
}
const meant = () => [...document.querySelectorAll('.search [role=option]')]
const ends = () => meant().findIndex((each) => each.innerText.includes('ends with'))
await seen(() => ends() >= 0)
while (!meant()[ends()].matches('.on')) {
  const before = meant().findIndex((each) => each.matches('.on'))
  key('ArrowDown')
  await seen(() => !meant()[before]?.matches('.on'))
}
key('Enter')
await seen(() => rows().join() === `orders/${given}`)
document.querySelector('main tr.row [data-row]').click()
await seen(() => document.querySelector('.slider'))
"""

_NEXT_PAGE = """
scrollTo(0, document.documentElement.scrollHeight)
await seen(() => document.querySelector('tr.row[aria-rowindex="52"]'))
"""

_FRAMES = """
for (let i = 1; i <= given; i += 1) {
  scrollTo(0, i * 36)
  await new Promise(requestAnimationFrame)
}
"""
_FRAMES_COUNT = 100  # so many times 36 pixels are the height of 100 rows, less that of a window


def folder(parent: Path, orders: int) -> Path:
    """Make a data folder with so many orders and their views, unless it is there."""
    path, whole = parent / f"{orders}-orders", parent / f"{orders}-orders.whole"
    if not whole.exists():
        filled.main(path, orders)
        with Database(path / DATABASE) as database:
            filled.mark_processed(database)
        subprocess.run(
            [sys.executable, "-m", "workflows.cli", "views", "rebuild", "--data", path],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        whole.touch()
    return path


def rows(
    browser: Browser, folders: dict[int, Path], rounds: int, slowed: int, begin: Callable[[str], None]
) -> Iterator[Row]:
    """Measure both lists; ``folders`` has those of few and of many orders. A ratio is the median of those of turns."""
    few, many = folders
    took: dict[str, dict[int, list[float]]] = defaultdict(lambda: {few: [], many: []})
    with engine(folders[few], {}) as of_few, engine(folders[many], {}) as of_many:
        for number in range(rounds):
            turns = [(few, of_few), (many, of_many)]
            for orders, running in turns if number % 2 else reversed(turns):
                begin(f"a list of {orders:,} orders, {number + 1} of {rounds}")
                for name, value in _visit(browser, running, orders, number, slowed).items():
                    took[name][orders].append(value)
    for name, values in took.items():
        beside = Beside(f"{few:,} orders", median(values[few]))
        detail = {"rounds": rounds, "CPU slowed": slowed, "slowest": round(max(values[many]))}
        yield Row(
            name=f"{many:,} orders: {name}",
            value=median(values[many]),
            unit="nodes" if "nodes" in name else "ms",
            peer=beside,
            ratio=median(long / short for short, long in zip(values[few], values[many], strict=True)),
            target=at_most(SAME),
            detail=detail,
        )


def _visit(browser: Browser, running: EngineProcess, orders: int, number: int, slowed: int) -> dict[str, float]:
    """Do each thing once in a new window; return what each took."""
    took: dict[str, float] = {}
    with Window(browser, running, "orders", slowed) as window:
        took["opened, to its first rows"] = window.drawn_ms("row")
        window.settle()
        took["the next page, by scrolling"] = window.took_ms(_NEXT_PAGE)
        took["nodes in the page then"] = window.page.evaluate("document.querySelectorAll('main *').length")
        window.settle()
        took["a frame while it scrolls"] = window.took_ms(_FRAMES, _FRAMES_COUNT) / _FRAMES_COUNT
        window.page.evaluate("scrollTo(0, 0)")  # the filters are there
        window.settle()
        for sort, name in (("", "a filter, to its rows"), ("changed_at", "a filter of the longest unchanged")):
            if sort:
                window.took_ms(_CHOOSE, ["Sorted", sort, True])
                window.settle()
            window.took_ms(_CHOOSE, ["Status", "abandoned", False])  # none is, so that each row is drawn by the next
            window.settle()
            took[name] = window.took_ms(_CHOOSE, ["Status", "completed", True])
            window.settle()
        wanted = order_id_for("filled", str(Random(number).randrange(orders)))
        took["the end of an id typed, to the order"] = window.took_ms(_SEARCH, wanted)
    return took
