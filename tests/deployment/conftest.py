"""A deployment of the built template to an emulator of AWS, shared by all tests and workers of a run."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing

import pytest

from tests.deployment import emulator
from tests.deployment.deployment import Deployment, deployed
from tests.deployment.people import Listener, Person

Join = Callable[[str], Person]


@pytest.fixture(scope="session")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """Start the deployment, or use the one that another worker started."""
    if not emulator.available():
        pytest.skip("no .tools/ministack: make tools installs it")
    own = tmp_path_factory.getbasetemp()
    shared = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    with deployed(shared / "deployment") as running:
        yield running


@pytest.fixture
def join(deployment: Deployment) -> Iterator[Join]:
    """``join(role)`` creates a user with a role, logged in."""
    with ExitStack() as opened:

        def join(role: str) -> Person:
            person = Person(deployment, role)
            opened.callback(person.close)
            return person

        yield join


@pytest.fixture
def listener(deployment: Deployment) -> Iterator[Listener]:
    """A queue of published events, which tests wait on."""
    with closing(Listener(deployment)) as opened:
        yield opened
