"""What the projector keeps beside the views: their versions, its place in the log, and the histories it parked."""

from __future__ import annotations

from sqlalchemy import MetaData, Table

from workflows.sql.columns import count, optional_text, text, time

METADATA = MetaData()

VERSIONS = Table(
    "view_versions",
    METADATA,
    text("view", primary_key=True),
    count("version"),  # of the definition that its table was built with
    count("generation"),  # how often it was built
    time("built_at"),
)

BUILDS = Table(
    "view_builds",
    METADATA,
    text("view", primary_key=True),
    count("version"),
    count("generation"),  # of the table that is being built
    text("built_to"),  # the last stream of which every stream up to it is in the table
    count("streams"),  # so far
    count("filled"),  # 1 once the scan is over
    time("started_at"),
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
    optional_text("detail"),
    time("since"),
)
