"""What a picture is by its content: PNG, JPEG or WebP, and its size. Its name and the sender's type do not count.

Only the frame is read, not the pixels: a browser that cannot decode them shows no picture. Pictures are served with
their type and ``nosniff``, so nothing else is made of one that is also, say, a script.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

BYTES_MAX: Final = 2**20
SIDE_MAX: Final = 4096
"""Pixels of the longer side."""

TYPES: Final[Mapping[str, str]] = {"png": "image/png", "jpg": "image/jpeg", "webp": "image/webp"}
"""The content types by the endings of names."""


class PictureUnreadable(ValueError):
    """The content is no picture that is taken. The message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureFrame:
    """The format of a picture, as the ending of its name, and its size in pixels."""

    ending: str
    width: int
    height: int


def read_frame(content: bytes) -> PictureFrame:
    """Read the format and the size of a picture. Raises PictureUnreadable."""
    if len(content) > BYTES_MAX:
        raise PictureUnreadable(f"has {len(content)} bytes; {BYTES_MAX} are the most")
    for ending, read_size in _READERS.items():
        try:
            size = read_size(content)
        except (struct.error, IndexError):
            raise PictureUnreadable("is cut off") from None
        if size is not None:
            return _checked(PictureFrame(ending=ending, width=size[0], height=size[1]))
    raise PictureUnreadable("is not a PNG, JPEG or WebP picture")


def _checked(frame: PictureFrame) -> PictureFrame:
    if not (1 <= frame.width <= SIDE_MAX and 1 <= frame.height <= SIDE_MAX):
        raise PictureUnreadable(f"has {frame.width} x {frame.height} pixels; a side has 1 to {SIDE_MAX}")
    return frame


def _png(content: bytes) -> tuple[int, int] | None:
    """The header is the first chunk, and an empty chunk is the last (RFC 2083)."""
    if content[:8] != b"\x89PNG\r\n\x1a\n":
        return None
    length, name, width, height = struct.unpack(">I4sII", content[8:24])
    if (length, name) != (13, b"IHDR") or content[-12:-4] != b"\x00\x00\x00\x00IEND":
        raise PictureUnreadable("is a PNG that is damaged or cut off")
    return width, height


_FRAMES = {0xC0 + number for number in range(16)} - {0xC4, 0xC8, 0xCC}
"""The markers of JPEG that begin with the size; the three others are tables."""


def _jpeg(content: bytes) -> tuple[int, int] | None:
    """Segments follow each other until the one with the size (ITU T.81, annex B)."""
    if content[:3] != b"\xff\xd8\xff":
        return None
    if b"\xff\xd9" not in content[-1024:]:  # cameras may write some bytes behind the end
        raise PictureUnreadable("is a JPEG that is cut off")
    at = 2
    while True:
        start, marker, length = struct.unpack(">BBH", content[at : at + 4])
        if start != 0xFF or length < 2:
            raise PictureUnreadable("is a JPEG that is damaged")
        if marker in _FRAMES:
            height, width = struct.unpack(">HH", content[at + 5 : at + 9])
            return width, height
        at += 2 + length


def _webp(content: bytes) -> tuple[int, int] | None:
    """One of three kinds of chunks comes first and has the size (RFC 9649)."""
    if content[:4] != b"RIFF" or content[8:12] != b"WEBP":
        return None
    (length,) = struct.unpack("<I", content[4:8])
    if length + 8 > len(content):
        raise PictureUnreadable("is a WebP that is cut off")
    match content[12:16]:
        case b"VP8 ":
            width, height = struct.unpack("<HH", content[26:30])
            return width & 0x3FFF, height & 0x3FFF
        case b"VP8L":
            (bits,) = struct.unpack("<I", content[21:25])
            return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        case b"VP8X":
            sides = content[24:30]
            if len(sides) < 6:
                raise PictureUnreadable("is a WebP that is cut off")
            return int.from_bytes(sides[:3], "little") + 1, int.from_bytes(sides[3:], "little") + 1
        case _:
            raise PictureUnreadable("is a WebP that is damaged")


_READERS: Mapping[str, Callable[[bytes], tuple[int, int] | None]] = {"png": _png, "jpg": _jpeg, "webp": _webp}
