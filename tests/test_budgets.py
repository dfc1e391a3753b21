"""What one order may do: state entries, invocations, reads and writes, outside calls, answers with the order, each of
which asks for the customer's key. Each costs money on AWS.

A change that makes an order do more fails here and has to say why in the budget. Whether the feed or the step that
waits is faster to see an answer differs from run to run by a read or two; the budgets are the most that was seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from benchmarks.counting import Counts, Story, counting
from benchmarks.order_work import counting_work

BUDGETS: dict[Story, dict[str, int]] = {
    "happy": {
        "states of OrderMachine": 8,
        "invocations of OrdersApi": 1,
        "invocations of PreparationApi": 2,
        "invocations of DeliveryApi": 3,
        "invocations of SagaStep": 7,
        "invocations of Feed": 8,
        "events reads": 44,
        "events writes": 8,
        "documents reads": 28,
        "documents writes": 21,
        "outside calls": 4,
        "orders shown": 1,
    },
    "declined": {
        "states of OrderMachine": 4,
        "invocations of OrdersApi": 1,
        "invocations of SagaStep": 3,
        "invocations of Feed": 2,
        "events reads": 9,
        "events writes": 2,
        "documents reads": 7,
        "documents writes": 2,
        "outside calls": 1,
        "orders shown": 1,
    },
    "compensated": {
        "states of OrderMachine": 12,
        "invocations of OrdersApi": 2,
        "invocations of PreparationApi": 1,
        "invocations of DeliveryApi": 1,
        "invocations of SagaStep": 8,
        "invocations of Feed": 8,
        "events reads": 38,
        "events writes": 8,
        "documents reads": 29,
        "documents writes": 17,
        "outside calls": 6,
        "orders shown": 2,
    },
}

WORK = {
    "invocations of functions": 21,
    "histories loaded": 38,
    "histories loaded from the database": 1,
    "folds": 22,
    "events folded": 26,
    "documents read": 30,
    "documents read from the database": 20,
    "documents written": 21,
    "JSON encoded": 156,
    "JSON decoded": 116,
    "commits, each with one sync": 36,
}
"""What the engine does on one machine for a delivered order, without the views. It decides the orders a second."""


@pytest.fixture(scope="module")
def count(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Story], Counts]]:
    folder: Path = tmp_path_factory.mktemp("engine")
    with counting(folder) as count:
        yield count


@pytest.mark.parametrize("story", BUDGETS)
def test_an_order_does_no_more_than_its_budget(story: Story, count: Callable[[Story], Counts]) -> None:
    """By name and number, so that what grew is in the message."""
    did = count(story).summary()
    over = {what: (number, BUDGETS[story].get(what, 0)) for what, number in did.items()}
    assert {what: pair for what, pair in over.items() if pair[0] > pair[1]} == {}


def test_a_delivered_order_makes_the_engine_do_no_more_work_than_its_budget(tmp_path: Path) -> None:
    """An order that is read from the database, decoded or folded more often makes every order slower.

    The least of ten orders at most: other work on the machine can make one of them wait, and read once more.
    """
    did = dict[str, int]()
    with counting_work(tmp_path) as count:
        count()  # imports and first pages
        for _ in range(10):
            order = {what: number for what, number in count().items() if not what.startswith("views: ")}
            did = {what: min(number, did.get(what, number)) for what, number in order.items()}
            if all(number <= WORK.get(what, 0) for what, number in did.items()):
                break
    assert did.keys() == WORK.keys()
    assert {what: (number, WORK[what]) for what, number in did.items() if number > WORK[what]} == {}
