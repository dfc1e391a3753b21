"""Times as text: one reader and one writer for everything that Expediter reads and writes."""

from __future__ import annotations

import ast
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflows.cli.inputs import version_or_time
from workflows.clock import TimeUnreadable, read_timestamp, timestamp
from workflows.gateways.http.payment import AUTHORIZE

ROOT = Path(__file__).parents[1]
HALF_PAST = datetime(2026, 3, 1, 18, 30, tzinfo=UTC)
NANOSECONDS = "2026-03-01T18:30:00.123456789Z"
TRUNCATED = HALF_PAST.replace(microsecond=123456)


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2026-03-01T18:30:00Z", HALF_PAST),
        ("2026-03-01t18:30:00z", HALF_PAST),
        ("2026-03-01T19:30:00+01:00", HALF_PAST),
        ("2026-03-01T13:00:00-05:30", HALF_PAST),
        ("2026-03-01T18:30:00-00:00", HALF_PAST),
        ("2026-03-01T18:30:00.5Z", HALF_PAST.replace(microsecond=500_000)),
        (NANOSECONDS, TRUNCATED),
        ("2026-03-01T18:30:00.9999999999999Z", HALF_PAST.replace(microsecond=999_999)),
    ],
)
def test_every_form_of_rfc_3339_is_read(text: str, time: datetime):
    """Any offset, either case, and any number of digits, truncated to microseconds."""
    assert read_timestamp(text) == time
    assert read_timestamp(text).tzinfo is UTC


@pytest.mark.parametrize(
    "text",
    [
        *("", "7", "yesterday", "2026-03-01", "2026-03-01T18:30:00", "2026-03-01T18:30Z", "20260301T183000Z"),
        *("2026-03-01 18:30:00Z", "2026-03-01T18:30:00+0100", "2026-03-01T18:30:00,5Z", "2026-03-01T18:30:00.Z"),
        *("2026-03-01T18:30:00999Z", "2026-03-01T18:30:007Z"),
        *("2026-02-29T18:30:00Z", "2026-03-01T24:30:00Z", "2026-03-01T18:30:60Z", "2026-03-01T18:30:00+99:00"),
        *("0000-03-01T18:30:00Z", "0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00", "٢٠٢٦-03-01T18:30:00Z"),
        *("2026-03-01T18:30:00Z\n", " 2026-03-01T18:30:00Z", "2026-W09-7T18:30:00Z"),
    ],
)
def test_other_text_is_refused_by_name(text: str):
    """Two readers could take it for different times, or it names none."""
    with pytest.raises(TimeUnreadable):
        read_timestamp(text)


@given(
    st.text() | st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9:]{8}(\.[0-9]+)?(Z|[+-][0-9:]{5})", fullmatch=True)
)
def test_no_text_ends_in_another_error(text: str):
    """A text from outside is read or refused."""
    try:
        time = read_timestamp(text)
    except TimeUnreadable:
        return
    assert time.tzinfo is UTC


@given(st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=30))])))
def test_a_written_time_is_read_back(time: datetime):
    """Within the years that are possible in UTC."""
    try:
        text = timestamp(time)
    except OverflowError:
        return
    assert read_timestamp(text) == time


def test_times_are_written_in_utc_with_microseconds():
    """So that the order of texts is the order of times."""
    berlin = timezone(timedelta(hours=2))
    assert timestamp(datetime(2026, 5, 4, 14, 0, tzinfo=berlin)) == "2026-05-04T12:00:00.000000Z"
    with pytest.raises(ValueError, match="no time zone"):
        timestamp(datetime(2026, 5, 4))  # noqa: DTZ001 - the mistake under test


def test_the_command_line_reads_nanoseconds():
    """``--at`` takes what any log prints."""
    assert version_or_time(NANOSECONDS, "--at") == TRUNCATED


def test_receipts_of_providers_are_read_with_nanoseconds():
    """Providers write as many digits as their language does."""
    body = {"outcome": "declined", "reason": "no funds", "at": NANOSECONDS}
    assert AUTHORIZE.read(msgspec.json.encode(body), now=TRUNCATED).at == TRUNCATED


def test_the_api_reads_nanoseconds():
    """In queries and in bodies."""
    from pydantic import TypeAdapter

    from handlers.http.moments import AtTime
    from handlers.http.values import Instant

    for kind in (AtTime, Instant):
        assert TypeAdapter(kind).validate_python(NANOSECONDS) == TRUNCATED


def test_no_other_reader_of_times_is_used_where_texts_come_from_outside():
    """``datetime.fromisoformat`` accepts less, more and other things than RFC 3339."""
    folders = ("handlers", "workflows/cli", "workflows/client", "workflows/gateways", "workflows/aws")
    files = [file for folder in folders for file in (ROOT / folder).rglob("*.py")]
    assert len(files) > 50
    calls = {
        str(file.relative_to(ROOT))
        for file in files
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Attribute) and node.attr in {"fromisoformat", "strptime"}
    }
    assert calls == set()
