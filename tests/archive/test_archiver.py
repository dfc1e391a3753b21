"""The function that archives on AWS: in rounds, with the log's stream showing what it did, and no false alarm."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

import pytest

from handlers import archiver, feed
from tests.archive.conftest import Story, in_order
from tests.handlers.conftest import Shop
from workflows.embedded.lambda_.feed import stream_record
from workflows.engine import serving, settings
from workflows.event_store.change_feed import FeedEntry
from workflows.event_store.commits import Commit
from workflows.event_store.segments import is_pointer
from workflows.upkeep.settings import read_upkeep
from workflows.upkeep.watchdog import check_rows

DAYS = {"ARCHIVE_AFTER_DAYS": "400", "ORDER_MACHINE": "arn"}


@pytest.fixture
def shop() -> Shop:
    shop = Shop()
    shop.completed(key="1")
    shop.completed(key="2", sub="bob")
    return shop


def archived(shop: Shop) -> set[str]:
    return {age.stream for age in shop.log.ages() if age.archived}


def round_(shop: Shop, for_s: float = 600.0, days: str = "400") -> dict[str, Any]:
    with serving(shop.engine, {**DAYS, "ARCHIVE_AFTER_DAYS": days}):
        return archiver.handler({"for_s": for_s}, None)


def test_orders_are_archived_once_they_are_old_enough(shop: Shop) -> None:
    """And never if no number of days is set."""
    whole = list(shop.log.scan())
    assert round_(shop)["orders"] == 0
    shop.clock.time += timedelta(days=401)
    assert round_(shop, days="0")["orders"] == 0
    assert round_(shop)["orders"] == 2
    assert list(shop.log.scan()) == whole
    assert len(archived(shop)) == 2


def test_a_round_whose_time_is_up_is_continued_by_the_next(shop: Shop) -> None:
    """Each archives at least one order."""
    shop.clock.time += timedelta(days=401)
    assert [round_(shop, for_s=0)["orders"] for _ in range(3)] == [1, 1, 0]


def test_a_pass_that_ended_is_followed_by_the_next_one_a_week_later(shop: Shop) -> None:
    """A pass reads the whole table."""
    shop.clock.time += timedelta(days=401)
    assert round_(shop, days="500")["orders"] == 0
    shop.clock.time += timedelta(days=6)
    assert round_(shop)["orders"] == 0
    shop.clock.time += timedelta(days=1)
    assert round_(shop)["orders"] == 2


def modified(before: Commit, after: Commit) -> dict[str, Any]:
    """Return the record of the log's stream about a commit that was replaced."""
    record = stream_record(FeedEntry(1, after))
    old = stream_record(FeedEntry(1, before))["dynamodb"]["NewImage"]
    return {**record, "eventName": "MODIFY", "dynamodb": {**record["dynamodb"], "OldImage": old}}


def alarms(shop: Shop, records: list[dict[str, Any]], caplog: pytest.LogCaptureFixture) -> int:
    caplog.clear()
    with caplog.at_level(logging.ERROR), serving(shop.engine, DAYS):
        assert feed.handler({"Records": records}, None) == {"batchItemFailures": []}
    return sum("tampered" in record.message for record in caplog.records)


def test_what_the_archiver_changes_is_no_tampering_and_any_other_change_is(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    """The archive's commit is verified by its hash: a wrong pointer is found, and so is another field."""
    before = {(each.pk, each.sk): each for each in shop.log.scan() if each.pk.startswith("order#")}
    shop.clock.time += timedelta(days=401)
    round_(shop)
    rows = {(each.pk, each.sk): each for each in shop.log.stored() if is_pointer(each.ev)}
    assert rows.keys() == before.keys()
    assert alarms(shop, [modified(before[place], row) for place, row in rows.items()], caplog) == 0
    place, row = next(iter(rows.items()))
    other = Commit(row.pk, row.sk, "another key", row.ts, row.h, row.ev)
    plain = Commit(row.pk, row.sk, row.k, row.ts, row.h, "{}")
    assert alarms(shop, [modified(before[place], each) for each in (other, plain)], caplog) == 2
    shop.log._streams[row.pk][row.sk] = Commit(row.pk, row.sk, row.k, row.ts, row.h, "@000001:1:10")
    assert alarms(shop, [modified(before[place], shop.log._streams[row.pk][row.sk])], caplog) == 1
    assert alarms(shop, [{**modified(before[place], row), "eventName": "REMOVE"}], caplog) == 1


def test_the_daily_comparison_loads_no_archived_order(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """An archived order has ended, so a row of open orders must not have it."""
    shop.clock.time += timedelta(days=401)
    round_(shop)
    loaded: list[str] = []
    monkeypatch.setattr(shop.log, "load", loaded.append)
    with serving(shop.engine, DAYS):
        assert check_rows(shop.engine, settings(read_upkeep)) == []
    assert loaded == []


def test_a_scan_without_contents_reads_no_segment(story: Story) -> None:
    """It has the names of lines in their place."""
    shop = story.shop
    assert in_order(list(shop.log.scan(contents=False))) == in_order(story.commits)
    shop.clock.time += timedelta(days=401)
    round_(shop)
    shop.log.segments = type(shop.log.segments)()
    assert any(is_pointer(commit.ev) for commit in shop.log.scan(contents=False))
