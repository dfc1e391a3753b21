"""The templates as plain CloudFormation, translated once for all tests, and their resources by type."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.template.stacks import wired
from tests.template.translated import PYTHON, STATE, TEMPLATE, WATCHING, translated

Resources = dict[str, dict[str, Any]]


@pytest.fixture(scope="session")
def plain() -> dict[str, Any]:
    """The template of the engine."""
    return _plain(TEMPLATE)


@pytest.fixture(scope="session")
def state() -> dict[str, Any]:
    """The template of the state."""
    return _plain(STATE)


@pytest.fixture(scope="session")
def watching() -> dict[str, Any]:
    """The template of what watches."""
    return _plain(WATCHING)


def _plain(template: Path) -> dict[str, Any]:
    assert PYTHON.exists(), "SAM's command line translates the template: make tools installs it"
    return translated(template)


@pytest.fixture(scope="session")
def resources(plain: dict[str, Any], state: dict[str, Any], watching: dict[str, Any]) -> Resources:
    """The resources of all stacks as of one, whose parameters are replaced by the outputs that they are given."""
    return {**state["Resources"], **wired(plain["Resources"], state), **wired(watching["Resources"], state, plain)}


@pytest.fixture(scope="session")
def of_type(resources: Resources) -> Callable[[str], Resources]:
    """Map logical id to properties for the resources of a type, without the function of the pool (test_token_roles)."""

    def select(kind: str) -> Resources:
        found = {name: item["Properties"] for name, item in resources.items() if item["Type"] == f"AWS::{kind}"}
        return {name: item for name, item in found.items() if name not in {"TokenRoles", "TokenRolesPermission"}}

    return select
