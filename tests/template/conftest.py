"""The template as plain CloudFormation, translated once for all tests, and its resources by type."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.template.translated import PYTHON, translated

Resources = dict[str, dict[str, Any]]


@pytest.fixture(scope="session")
def plain() -> dict[str, Any]:
    assert PYTHON.exists(), "SAM's command line translates the template: make tools installs it"
    return translated()


@pytest.fixture(scope="session")
def resources(plain: dict[str, Any]) -> Resources:
    resources: Resources = plain["Resources"]
    return resources


@pytest.fixture(scope="session")
def of_type(resources: Resources) -> Callable[[str], Resources]:
    """Map logical id to properties for the resources of a type."""

    def select(kind: str) -> Resources:
        return {name: item["Properties"] for name, item in resources.items() if item["Type"] == f"AWS::{kind}"}

    return select
