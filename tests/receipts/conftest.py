"""A shop whose restaurant has a name and dishes in several scripts."""

from __future__ import annotations

import pytest

from tests.handlers.conftest import Shop


@pytest.fixture
def shop() -> Shop:
    return Shop()
