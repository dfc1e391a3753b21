"""The stories assert, so pytest is to explain their assertions too."""

import pytest

pytest.register_assert_rewrite("tests.domain.stories", "tests.domain.world", "tests.domain.oracle")
