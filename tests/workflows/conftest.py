"""What the tests of the workflows share."""

import pytest

pytest.register_assert_rewrite("tests.workflows.circuits", "tests.workflows.recorded", "tests.workflows.restarting")
