"""What the tests of the domain share: the stories' assertions explained, and a profile that looks longer."""

import pytest
from hypothesis import settings

pytest.register_assert_rewrite("tests.domain.order.stories", "tests.domain.order.world", "tests.domain.order.oracle")

# By hand, after a change to the rules: pytest tests/domain --hypothesis-profile=thorough
settings.register_profile("thorough", max_examples=3000, deadline=None)
