"""Shops with views: on SQLite, and on both databases where the reading of rows is tested."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.search.conftest import shop as any_shop
from tests.search.shops import ShopWithViews

__all__ = ["any_shop"]


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[ShopWithViews]:
    shop = ShopWithViews(tmp_path / "views.sqlite")
    yield shop
    shop.views.close()
