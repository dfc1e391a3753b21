"""Orders that ended, as commits that a test puts into a log of any kind."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from tests.handlers.conftest import Shop
from workflows.event_store.commits import Commit


@dataclass
class Story:
    """A shop that had two orders that ended, then an open one, and after ``cutoff`` one that ended."""

    shop: Shop
    old: list[str]
    open: str
    young: str
    cutoff: datetime
    commits: list[Commit]


@pytest.fixture(scope="module")
def story() -> Story:
    shop = Shop()
    old = [shop.completed(key="1"), shop.completed(key="2", sub="bob")]
    open_order = shop.accepted(key="3")
    cutoff = shop.clock.time + timedelta(minutes=5)
    shop.clock.time += timedelta(minutes=10)
    young = shop.completed(key="4")
    return Story(shop, old, open_order, young, cutoff, list(shop.log.scan()))


def in_order(commits: list[Commit]) -> list[Commit]:
    return sorted(commits, key=lambda commit: (commit.pk, commit.sk))
