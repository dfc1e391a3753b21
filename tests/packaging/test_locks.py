"""The lock files: AWS runs the versions that the tests run with, and every file is pinned by its hash."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
LOCKS = [
    REPOSITORY / "requirements.lock",
    REPOSITORY / "requirements-lambda.lock",
    *(REPOSITORY / "tools").glob("*.lock"),
]


def pins(lock: Path) -> dict[str, str]:
    """Read a lock: the version and the hashes of each package."""
    return dict(re.findall(r"^([\w.-]+)==(\S+.*(?:\n    --hash=.*)+)", lock.read_text(), re.M))


def test_the_functions_run_with_the_versions_of_the_tests() -> None:
    """The same versions, and the same files."""
    everything, functions = pins(REPOSITORY / "requirements.lock"), pins(REPOSITORY / "requirements-lambda.lock")
    assert functions
    assert functions == {name: everything.get(name) for name in functions}


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_a_lock_pins_and_hashes_every_package_and_names_no_index(lock: Path) -> None:
    """Installing takes the tested files, from any package index."""
    text = lock.read_text()
    required = [line for line in text.splitlines() if line and not line.startswith(("#", " "))]
    assert len(pins(lock)) == len({line.split("==")[0] for line in required})
    assert "://" not in text
    assert not re.search(r"^-", text, re.M)
