"""Count the work of one order inside the engine's process: ``python -m benchmarks.order_work``.

An order is placed and delivered over HTTP; the engine comes to rest before each act of a person, so the counts are
nearly the same every time. Calls are counted by ``sys.setprofile`` on all threads of the engine, without those of the
benchmark itself; the people act on the main thread, which is not profiled. What the views in SQL do on their own thread
is counted apart, since how much of the log they take at a time differs. Values are medians of the orders.
"""

from __future__ import annotations

import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from types import FrameType
from typing import Any

from benchmarks.counting import Counts, counting
from benchmarks.options import options
from benchmarks.results import Beside, Row, publish

BEFORE = "0d522b9"
"""The last commit before the embedded engine ran on one thread."""

_CALLS = {
    ("workflows/sqlite/event_log.py", "load"): "histories loaded",
    ("workflows/event_store/event_log.py", "load"): "histories loaded from the database",
    ("domain/order/evolving.py", "evolve_all"): "folds",
    ("workflows/sqlite/documents.py", "get"): "documents read",
    ("workflows/sqlite/documents.py", "list"): "documents read",
    ("workflows/sqlite/documents.py", "_read"): "documents read from the database",
    ("workflows/sqlite/documents.py", "put"): "documents written",
    ("workflows/sqlite/documents.py", "delete"): "documents written",
    ("workflows/sqlite/group_commit.py", "_commit"): "commits, each with one sync",
    ("json/encoder.py", "encode"): "JSON encoded",
    ("json/decoder.py", "decode"): "JSON decoded",
}
"""Functions in Python, by the end of their file's name."""

_BUILT_IN = {
    ("msgspec.json", "encode"): "JSON encoded",
    ("msgspec.json", "decode"): "JSON decoded",
    ("pydantic_core._pydantic_core", "to_json"): "JSON encoded",
    ("pydantic_core._pydantic_core", "validate_json"): "JSON decoded",
}
"""Functions in C, by the module of the function or of the class that it belongs to."""

_NAMES = {name for _, name in _CALLS}
_VIEWS_THREAD = "projector"
_OURS = f"{Path(__file__).parent}/"


class WorkCounter:
    """Counts the calls that its threads make, and the events of their folds."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def taken(self) -> Counter[str]:
        """Return the counts since the last call."""
        counts, self._counts = self._counts, Counter()
        return counts

    def profile(self, frame: FrameType, event: str, argument: Any) -> None:
        """Count one call, as ``sys.setprofile`` reports it."""
        if event == "call" and frame.f_code.co_name in _NAMES:
            self._python_call(frame)
        elif event == "c_call" and argument.__name__ in ("encode", "decode", "to_json", "validate_json"):
            owner = argument.__self__
            module = owner.__name__ if hasattr(owner, "__name__") else type(owner).__module__
            if what := _BUILT_IN.get((module, argument.__name__)):
                self._note(what)

    def _python_call(self, frame: FrameType) -> None:
        for (file, name), what in _CALLS.items():
            if frame.f_code.co_name == name and frame.f_code.co_filename.endswith(file) and not _is_ours(frame):
                self._note(what)
                if what == "folds":
                    self._note("events folded", len(frame.f_locals["events"]))

    def _note(self, what: str, times: int = 1) -> None:
        views = threading.current_thread().name == _VIEWS_THREAD
        self._counts[f"views: {what}" if views else what] += times


def _is_ours(frame: FrameType) -> bool:
    """Whether the benchmark itself encodes: the first caller outside of the json package is of the benchmarks."""
    caller = frame.f_back
    while caller is not None and "/json/" in caller.f_code.co_filename:
        caller = caller.f_back
    return caller is not None and caller.f_code.co_filename.startswith(_OURS) and "/json/" in frame.f_code.co_filename


@contextmanager
def counting_work(folder: Path) -> Iterator[Callable[[], Counter[str]]]:
    """Open an engine and yield ``count()``, which plays an order to its delivery and counts its work."""
    counter = WorkCounter()
    threading.setprofile(counter.profile)
    try:
        with counting(folder) as play:

            def count() -> Counter[str]:
                counter.taken()
                counts: Counts = play("happy")
                return counter.taken() + Counter({"invocations of functions": counts.invocations.total()})

            yield count
    finally:
        threading.setprofile(None)


def main() -> None:
    chosen = options(__doc__)
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder, counting_work(Path(folder)) as count:
        count()  # imports and first pages
        orders = [count() for _ in range(chosen.size(15, 3))]
    medians = {what: median(order[what] for order in orders) for what in (*WORK_BEFORE, *_OF_VIEWS)}
    rows = [Row(name=what, value=value, unit="an order", peer=_before(what)) for what, value in medians.items()]
    publish("order_work", rows, quick=chosen.quick, as_json=chosen.json)


def _before(what: str) -> Beside | None:
    return Beside(BEFORE, WORK_BEFORE[what]) if what in WORK_BEFORE else None


_OF_VIEWS = ("views: folds", "views: JSON encoded")
WORK_BEFORE: dict[str, float] = {
    "invocations of functions": 22,
    "histories loaded": 36,
    "histories loaded from the database": 36,
    "folds": 62,
    "events folded": 295,
    "documents read": 48,
    "documents read from the database": 48,
    "documents written": 21,
    "JSON encoded": 187,
    "JSON decoded": 579,
    "commits, each with one sync": 43,
}
"""The medians at ``BEFORE``, counted by this module with the names of that commit's files. It had no views in SQL."""


if __name__ == "__main__":
    main()
