"""What the tests of the AWS adapters share."""

import pytest

pytest.register_assert_rewrite("tests.aws_adapters.deployed", "tests.aws_adapters.story")
