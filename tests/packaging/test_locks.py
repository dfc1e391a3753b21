"""The lock files: what runs on AWS is what the tests run with, and each is what its installer can hold to."""

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
    """Name -> version, and the hashes of its files."""
    return dict(re.findall(r"^([\w.-]+)==(\S+.*(?:\n    --hash=.*)+)", lock.read_text(), re.M))


def test_the_functions_run_with_what_the_tests_run_with() -> None:
    """The same versions, and the same files."""
    everything, functions = pins(REPOSITORY / "requirements.lock"), pins(REPOSITORY / "requirements-lambda.lock")
    assert functions
    assert functions == {name: everything.get(name) for name in functions}


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_a_lock_pins_and_hashes_all_and_names_no_index(lock: Path) -> None:
    """Whoever installs takes the files that were tested, from wherever they take packages."""
    text = lock.read_text()
    required = [line for line in text.splitlines() if line and not line.startswith(("#", " "))]
    assert len(pins(lock)) == len({line.split("==")[0] for line in required})
    assert "://" not in text
    assert not re.search(r"^-", text, re.M)
