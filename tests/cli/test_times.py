"""Times on the command line, as people type them and as tables show them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from workflows.cli.failures import InvalidInput
from workflows.cli.inputs import time_of, version_or_time
from workflows.cli.search_pages import clock

HALF_PAST_SIX = datetime(2026, 3, 1, 18, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-01T18:30:00Z",
        "2026-03-01T18:30:00.000000Z",
        "2026-03-01t18:30z",
        "2026-03-01 18:30 +00:00",
        "2026-03-01T19:30+01:00",
        clock("2026-03-01T18:30:00.000000Z"),
    ],
)
def test_a_time_needs_no_seconds_and_can_be_copied_from_a_table(text: str) -> None:
    """Support types the minute that a customer names, or copies what another command printed."""
    assert time_of(text, "--from") == version_or_time(text, "--at") == HALF_PAST_SIX


def test_a_day_begins_at_midnight_in_utc() -> None:
    """As the days of the books and of statistics."""
    assert time_of("2026-03-01", "--from") == HALF_PAST_SIX.replace(hour=0, minute=0)


@pytest.mark.parametrize("text", ["18:30", "2026-03-01 18:30", "2026-02-31", "2026-03-01T25:00Z", "yesterday", "7", ""])
def test_a_text_that_names_no_moment_is_refused_with_the_forms_that_do(text: str) -> None:
    """A clock time without an offset could be of any time zone."""
    with pytest.raises(InvalidInput, match=r"--from: .* is not a time: use .*18:30Z"):
        time_of(text, "--from")
