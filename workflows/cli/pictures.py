"""Pictures that a person names by file or address: read here, and uploaded to the engine.

The engine fetches no address by itself, so that no caller can reach its own network through it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from workflows.catalogue.picture_formats import BYTES_MAX
from workflows.cli.failures import InvalidInput

if TYPE_CHECKING:
    from workflows.client import ExpediterClient
    from workflows.client.catalogue_json import PictureJson, SectionJson

_UPLOADED = r"[0-9a-f]{64}\.(png|jpg|webp)"
_FETCH_TIMEOUT_S = 20.0


def upload_pictures(
    engine: ExpediterClient,
    restaurant: str,
    sections: Sequence[SectionJson],
    *,
    folder: Path,
    place: Callable[[str], str],
) -> None:
    """Upload the pictures that the items name by file or address, and put the names that they get in their place.

    Args:
        folder: Files are relative to it.
        place: Says where the part of a menu with this path stands, for a message.

    Raises:
        InvalidInput: A file or an address cannot be read, or is no picture.
    """
    uploaded: dict[str, str] = {}
    for number, section in enumerate(sections):
        for index, item in enumerate(section["items"]):
            source = item["picture"] if isinstance(item, dict) and isinstance(item.get("picture"), str) else ""
            if not source or re.fullmatch(_UPLOADED, source):
                continue
            if source not in uploaded:
                where = place(f"sections[{number}].items[{index}].picture")
                uploaded[source] = upload_picture(engine, restaurant, source, folder=folder, where=where)["name"]
            item["picture"] = uploaded[source]


def upload_picture(engine: ExpediterClient, restaurant: str, source: str, *, folder: Path, where: str) -> PictureJson:
    """Upload a picture from a file or an address. Raises InvalidInput, whose message begins with ``where``."""
    from workflows.catalogue.picture_formats import PictureUnreadable, read_frame

    content = _fetched(source, where) if source.startswith(("http://", "https://")) else _read(folder / source, where)
    try:
        read_frame(content)
    except PictureUnreadable as error:
        raise InvalidInput(f"{where}: {source} {error}") from None
    return engine.upload_picture(restaurant, content)


def _read(file: Path, where: str) -> bytes:
    try:
        with file.open("rb") as opened:
            return opened.read(BYTES_MAX + 1)
    except OSError as error:
        raise InvalidInput(f"{where}: {file} cannot be read: {error.strerror}") from None


def _fetched(address: str, where: str) -> bytes:
    import httpx

    content = bytearray()
    try:
        with httpx.stream("GET", address, timeout=_FETCH_TIMEOUT_S, follow_redirects=True) as answer:
            answer.raise_for_status()
            for part in answer.iter_bytes():
                content += part
                if len(content) > BYTES_MAX:
                    break
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise InvalidInput(f"{where}: {address} cannot be fetched: {error}") from None
    return bytes(content)
