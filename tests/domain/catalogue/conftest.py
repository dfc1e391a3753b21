"""Assertion details for the stories of the catalogue."""

import pytest

pytest.register_assert_rewrite("tests.domain.catalogue.trattoria")
