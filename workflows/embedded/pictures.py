"""Pictures as files in the engine's folder: ``pictures/<restaurant>~<name>``. No id of a restaurant has a ``~``."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from domain.identifiers import RestaurantId
from workflows.catalogue.picture_store import PicturesUnavailable


class FolderPictures:
    """The pictures in one folder, which is made with the first of them. Its calls wait for the disk."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, *, restaurant_id: RestaurantId, name: str, content: bytes) -> None:
        """The content is durable before the file gets its name, so a kill leaves no half picture."""
        file = self._file(restaurant_id, name)
        new = file.with_name(f"{file.name}.{os.urandom(4).hex()}.new")
        try:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as opened:
                opened.write(content)
                opened.flush()
                os.fsync(opened.fileno())
            new.replace(file)
            _sync(self._folder)
        except OSError as error:
            with suppress(OSError):
                new.unlink()
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


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
