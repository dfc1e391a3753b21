"""A rebuild of all views from a log of a million orders: killed on its way, continued, and read beside.

The log has the orders of ``benchmarks.filled``. The views hold its first orders, so that a reader gets pages of them
until the new tables are in place. ``expediter views rebuild`` is ended with SIGKILL once a third of the orders is
stored, and a second command continues. With ``--quick`` there are 3,000 orders. A million need 20 GB of disk.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory

from sqlalchemy import func, select

from benchmarks import filled
from benchmarks.options import options
from benchmarks.process_tree import tree_cpu_s
from benchmarks.results import Row, at_most, publish
from domain.identifiers import Actor, Role
from workflows.clock import SystemClock, timestamp
from workflows.embedded.view_builder import opened_views
from workflows.projections.bookkeeping import SHARES
from workflows.projections.orders import ORDERS
from workflows.projections.store import ViewStore
from workflows.search.filters import OrderFilter, OrderSort
from workflows.search.order_list import list_orders
from workflows.search.order_query import OrderQuery
from workflows.settings import read
from workflows.time_budgets import read_budgets

READ_EVERY_S, LOOK_EVERY_S = 0.1, 0.2


def main() -> None:
    chosen = options(__doc__)
    orders, first = chosen.size(1_000_000, 3_000), chosen.size(20_000, 300)
    with TemporaryDirectory(prefix="benchmark-") as name:
        folder = Path(name) / "engine"
        filled.main(folder, orders, until=first)
        _Rebuild(folder).wait()
        filled.add(folder, orders, first=first)
        with opened_views(folder) as (store, _), _reading(store) as read_s:
            rows = _measured(store, folder, orders)
        cut = quantiles(read_s, n=100)
        rows += [
            Row(name="a page of orders meanwhile, p50", value=cut[49] * 1000, unit="ms"),
            Row(name="a page of orders meanwhile, p99", value=cut[98] * 1000, unit="ms"),
        ]
    publish("rebuild", rows, quick=chosen.quick, as_json=chosen.json)


def _measured(store: ViewStore, folder: Path, orders: int) -> list[Row]:
    began_s = time.monotonic()
    killed = _Rebuild(folder)
    while _stored(store) < orders / 3:
        killed.look()
    killed.kill()
    kept = _stored(store)
    continued = _Rebuild(folder)
    continued.wait()
    took_s = time.monotonic() - began_s
    with store.reading() as connection:
        missing = orders - connection.execute(select(func.count()).select_from(ORDERS)).scalar_one()
    detail = {"orders": orders, "kept": kept}
    cpu_ms = (killed.cpu_s + continued.cpu_s) / orders * 1000
    return [
        Row(name=f"rebuild of {orders:,} orders, killed once", value=took_s / 60, unit="minutes", detail=detail),
        Row(name="CPU of the rebuild, an order", value=cpu_ms, unit="ms", detail=detail),
        Row(name="share that was kept when it was killed", value=kept / orders, unit="", detail=detail),
        Row(name="orders missing", value=missing, unit="", target=at_most(0, of="value"), detail=detail),
    ]


class _Rebuild:
    """The command, in a process of its own. ``cpu_s`` is that of all its processes, as last seen."""

    def __init__(self, folder: Path) -> None:
        command = [sys.executable, "-m", "workflows.cli", "views", "rebuild", "--data", str(folder)]
        self._process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        self.cpu_s = 0.0

    def look(self) -> None:
        """Note the CPU time after a while. Raises CalledProcessError if the command has failed."""
        self.cpu_s = max(self.cpu_s, tree_cpu_s(self._process.pid))
        time.sleep(LOOK_EVERY_S)
        if self._process.poll():
            raise subprocess.CalledProcessError(self._process.returncode, self._process.args)

    def wait(self) -> None:
        while self._process.poll() is None:
            self.look()

    def kill(self) -> None:
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()


def _stored(store: ViewStore) -> int:
    """Return how many streams of the log are in the new tables."""
    with store.reading() as connection:
        return int(connection.execute(select(func.coalesce(func.sum(SHARES.c.streams), 0))).scalar_one())


@contextmanager
def _reading(store: ViewStore) -> Iterator[list[float]]:
    """Read a page of orders again and again within; yield the seconds that each took."""
    took_s: list[float] = []
    ended = threading.Event()
    query = OrderQuery(
        actor=Actor(Role.SUPPORT, "sue"),
        filter=OrderFilter(),
        sort=OrderSort.NEWEST,
        limit=50,
        cursor=None,
        now=timestamp(SystemClock().now()),
        budgets=read({}, read_budgets),
    )

    def read_pages() -> None:
        while not ended.wait(READ_EVERY_S):
            began_s = time.monotonic()
            with store.reading() as connection:
                page = list_orders(connection, query)
            took_s.append(time.monotonic() - began_s)
            assert page.orders, "the old tables are read until the new ones are complete"

    reader = threading.Thread(target=read_pages)
    reader.start()
    try:
        yield took_s
    finally:
        ended.set()
        reader.join()


if __name__ == "__main__":
    main()
