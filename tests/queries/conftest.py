"""Shops with views, on SQLite and on PostgreSQL."""

from __future__ import annotations

from tests.search.conftest import shop

__all__ = ["shop"]
