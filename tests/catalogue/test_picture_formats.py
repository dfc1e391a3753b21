"""Pictures are recognised by their content, with bounds; never by a name or by a type that the sender states."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.catalogue.sample_pictures import jpeg, png, webp
from workflows.catalogue.picture_formats import BYTES_MAX, SIDE_MAX, PictureUnreadable, read_frame

PICTURES = {
    "png": png(),
    "jpg": jpeg(),
    "progressive jpg": jpeg(marker=0xC2),
    "lossy webp": webp(b"VP8 "),
    "lossless webp": webp(b"VP8L"),
    "webp": webp(b"VP8X"),
}


@pytest.mark.parametrize("kind", PICTURES)
def test_the_format_and_the_size_are_read_from_the_content(kind: str) -> None:
    """Width and height are not exchanged."""
    frame = read_frame(PICTURES[kind])
    assert (frame.ending, frame.width, frame.height) == (kind.rpartition(" ")[2], 2, 3)


@pytest.mark.parametrize("kind", PICTURES)
def test_a_picture_that_is_cut_off_is_refused(kind: str) -> None:
    """At any byte; an upload that broke must not become a broken menu."""
    for end in range(len(PICTURES[kind])):
        with pytest.raises(PictureUnreadable):
            read_frame(PICTURES[kind][:end])


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"GIF89a" + bytes(100),
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"<html>" + png(),
        b"BM" + bytes(100),
        b"%PDF-1.7",
        b"RIFF\x04\x00\x00\x00WAVE",
    ],
)
def test_anything_else_is_refused(content: bytes) -> None:
    """SVG and HTML too, which a browser would run."""
    with pytest.raises(PictureUnreadable):
        read_frame(content)


def test_the_bounds_of_a_picture() -> None:
    """A menu has many pictures, and phones show them."""
    assert read_frame(png(SIDE_MAX, 1)).width == SIDE_MAX
    for content in (jpeg(SIDE_MAX + 1, 1), jpeg(1, SIDE_MAX + 1), jpeg(0, 1), png() + bytes(BYTES_MAX)):
        with pytest.raises(PictureUnreadable):
            read_frame(content)


@given(st.sampled_from(sorted(PICTURES)), st.integers(0, 60), st.binary(max_size=60))
@example("jpg", 2, b"\xff\xfe\x00\x00")
def test_damaged_content_is_read_or_refused_and_nothing_else(kind: str, at: int, damage: bytes) -> None:
    """No content makes the reader fail or loop."""
    content = PICTURES[kind][:at] + damage + PICTURES[kind][at + len(damage) :]
    with contextlib.suppress(PictureUnreadable):
        read_frame(content)
