"""The projector's own tables: versions of views, its position in the log, parked histories, the daily comparison."""

from __future__ import annotations

from sqlalchemy import MetaData, Table

from workflows.sql.columns import count, optional_text, optional_time, text, time

METADATA = MetaData()

VERSIONS = Table(
    "view_versions",
    METADATA,
    text("view", primary_key=True),
    count("version"),  # of the definition that its table was built with; 0 until it was built
    text("fingerprint"),
    count("generation"),  # how often it was built
    time("built_at"),
)

BUILDS = Table(
    "view_builds",
    METADATA,
    text("view", primary_key=True),
    count("version"),
    text("fingerprint"),
    count("generation"),  # of the table that is being built
    time("started_at"),
)

SHARES = Table(
    "view_build_shares",
    METADATA,
    count("number", primary_key=True),  # the shares of the log that a build reads, as of event_log.Share
    count("of"),
    text("first"),
    optional_text("before"),
    optional_text("done_to"),  # the last stream that is in the tables being built
    count("streams"),  # so far
    count("done"),
)

POSITION = Table(
    "view_position",
    METADATA,
    text("projector", primary_key=True),
    count("position"),  # of the last commit of the log that is in the views
    text("recorded_at"),  # when that commit was recorded; empty before the first
    time("projected_at"),
)

PARKED = Table(
    "view_parked",
    METADATA,
    text("view", primary_key=True),
    text("stream", primary_key=True),
    text("error"),  # the class of the error
    time("since"),
)

COMPARISON = Table(
    "view_comparison",
    METADATA,
    text("projector", primary_key=True),
    time("began_at"),
    optional_text("compared_to"),  # the last stream that was compared; NULL before the first
    optional_time("ended_at"),
    count("streams"),  # that were compared so far
    count("mended"),  # of them
)
