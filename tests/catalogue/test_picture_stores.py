"""Stores of pictures: one contract for memory, the engine's folder and S3."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from domain.identifiers import RestaurantId
from workflows.aws import clients
from workflows.aws.pictures import S3Pictures
from workflows.catalogue.picture_store import Pictures, PicturesUnavailable
from workflows.embedded.pictures import FolderPictures
from workflows.in_memory.pictures import InMemoryPictures

ROSA, ROSALIE = RestaurantId("rosa"), RestaurantId("rosa-lie")
NAME, OTHER = f"{'a' * 64}.png", f"{'b' * 64}.jpg"


@pytest.fixture(params=["memory", "folder", "s3"])
def pictures(request: pytest.FixtureRequest, tmp_path: Path) -> Pictures:
    if request.param == "memory":
        return InMemoryPictures()
    if request.param == "folder":
        return FolderPictures(tmp_path / "pictures")
    request.getfixturevalue("moto")
    clients.s3().create_bucket(Bucket="pictures", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    return S3Pictures(clients.s3(), "pictures")


def test_a_picture_is_read_as_it_was_stored(pictures: Pictures) -> None:
    """Every byte; storing it again changes nothing."""
    content = bytes(range(256)) * 100
    for _ in range(2):
        pictures.put(restaurant_id=ROSA, name=NAME, content=content)
    assert pictures.get(restaurant_id=ROSA, name=NAME) == content
    assert pictures.names(restaurant_id=ROSA) == {NAME}


def test_restaurants_have_pictures_of_their_own(pictures: Pictures) -> None:
    """Also if the id of one begins with the id of another."""
    pictures.put(restaurant_id=ROSA, name=NAME, content=b"1")
    pictures.put(restaurant_id=ROSALIE, name=OTHER, content=b"2")
    assert pictures.get(restaurant_id=ROSA, name=OTHER) is None
    assert (pictures.names(restaurant_id=ROSA), pictures.names(restaurant_id=ROSALIE)) == ({NAME}, {OTHER})
    assert pictures.names(restaurant_id=RestaurantId("gino")) == set()
    assert pictures.get(restaurant_id=RestaurantId("gino"), name=NAME) is None


def test_a_folder_that_cannot_be_used_is_named_as_unavailable(tmp_path: Path) -> None:
    """The caller tries again; what was stored before stays."""
    (tmp_path / "pictures").write_text("not a folder")
    broken = FolderPictures(tmp_path / "pictures")
    calls: list[Callable[[], object]] = [
        lambda: broken.put(restaurant_id=ROSA, name=NAME, content=b"1"),
        lambda: broken.get(restaurant_id=ROSA, name=NAME),
        lambda: broken.names(restaurant_id=ROSA),
    ]
    for call in calls:
        with pytest.raises(PicturesUnavailable):
            call()


def test_a_picture_that_was_not_finished_is_no_picture(tmp_path: Path) -> None:
    """A kill while it is written leaves a file of another name."""
    folder = FolderPictures(tmp_path)
    folder.put(restaurant_id=ROSA, name=NAME, content=b"1")
    (tmp_path / f"rosa~{OTHER}.0a0b0c0d.new").write_bytes(b"half")
    assert folder.names(restaurant_id=ROSA) == {NAME}
    assert [file.stat().st_mode & 0o777 for file in tmp_path.glob("*.png")] == [0o600]
