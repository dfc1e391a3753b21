"""Shops with views, on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.search.shops import ShopWithViews


@pytest.fixture
def shop(sql_url: str | Path) -> Iterator[ShopWithViews]:
    shop = ShopWithViews(sql_url)
    yield shop
    shop.views.close()
