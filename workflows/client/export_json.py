"""Exports in JSON."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypedDict

from msgspec import Meta

from .order_json import TimeText


class ExportJson(TypedDict):
    """A file of events that is being made, or was made."""

    id: str
    format: Literal["jsonl", "csv", "parquet"]
    filter: Annotated[dict[str, Any], Meta(description="As it was requested.")]
    as_of: Annotated[TimeText, Meta(description="The newest recording time in the file.")]
    state: Literal["running", "done", "failed"]
    rows: Annotated[int, Meta(ge=0, description="Written so far.")]
    bytes: Annotated[int, Meta(ge=0)]
    blocks: Annotated[int, Meta(ge=0, description="Blocks of 1 MiB; 0 until it is done.")]
    sha256: Annotated[str, Meta(description="Of the whole file, in hexadecimal; empty until it is done.")]
    manifest: Annotated[str, Meta(description="The signed manifest; empty until it is done.")]
    error: Annotated[str, Meta(description="Why it failed; else empty.")]
    url: Annotated[
        str | None,
        Meta(
            description="On AWS, once it is done: where the whole file can be read without a token, for five minutes "
            "from this answer on. Read the export again for another."
        ),
    ]


class ExportBlockJson(TypedDict):
    """A part of the file."""

    block: Annotated[int, Meta(ge=0)]
    content: Annotated[str, Meta(description="Up to 1 MiB in base64.")]
    next: Annotated[int | None, Meta(description="The next block; null on the last.")]
