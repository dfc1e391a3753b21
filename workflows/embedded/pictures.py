"""Pictures as files in the engine's folder: ``pictures/<restaurant>~<name>``. No id of a restaurant has a ``~``."""

from __future__ import annotations

import os
from pathlib import Path

from domain.identifiers import RestaurantId
from workflows.boundary.private_files import write_private_content
from workflows.catalogue.picture_store import PicturesUnavailable
from workflows.sqlite.database import sync_folder


class FolderPictures:
    """The pictures in one folder, which is made with the first of them. Its calls wait for the disk."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, *, restaurant_id: RestaurantId, name: str, content: bytes) -> None:
        try:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            write_private_content(self._file(restaurant_id, name), content)
            sync_folder(self._folder)
        except OSError as error:
            raise PicturesUnavailable(f"a picture could not be stored: {error.strerror}") from error

    def get(self, *, restaurant_id: RestaurantId, name: str) -> bytes | None:
        try:
            return self._file(restaurant_id, name).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise PicturesUnavailable(f"a picture could not be read: {error.strerror}") from error

    def names(self, *, restaurant_id: RestaurantId) -> set[str]:
        start = f"{restaurant_id}~"
        try:
            files = os.listdir(self._folder)
        except FileNotFoundError:
            return set()
        except OSError as error:
            raise PicturesUnavailable(f"the pictures could not be listed: {error.strerror}") from error
        return {file.removeprefix(start) for file in files if file.startswith(start) and not file.endswith(".new")}

    def _file(self, restaurant_id: RestaurantId, name: str) -> Path:
        return self._folder / f"{restaurant_id}~{name}"
