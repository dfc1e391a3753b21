"""Shared by the tests of the domain: assertion details for the stories, and a Hypothesis profile with more examples."""

import pytest
from hypothesis import settings

pytest.register_assert_rewrite("tests.domain.order.stories", "tests.domain.order.world", "tests.domain.order.oracle")

# By hand, after a change to the rules: pytest tests/domain --hypothesis-profile=thorough
settings.register_profile("thorough", max_examples=3000, deadline=None)
