"""Shared by the tests of orders: assertion details for the stories."""

import pytest

pytest.register_assert_rewrite("tests.domain.order.stories", "tests.domain.order.world", "tests.domain.order.oracle")
