"""Exports as files in the engine's folder, each made by a process of its own, so that orders keep the engine's CPU.

``exports/<id>.json`` is the state of an export, ``exports/<id>`` its file. One is made at a time. An export that the
engine's end interrupted is begun again by the next engine. Files are removed a day after they were requested.
"""

from __future__ import annotations

import json
import subprocess
import threading
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Final

import msgspec

from workflows.audit.exports import BLOCK, Export, ExportsBusy, ExportState, ExportsUnavailable, NoSuchExport
from workflows.boundary.child_python import start_module
from workflows.boundary.private_files import write_private_content
from workflows.clock import Clock, read_timestamp

EXPORTS = "exports"

KEPT: Final = timedelta(days=1)
_END_WITHIN_S: Final = 5.0


class ExportFolder:
    """An ``Exports``. Its calls wait for the disk."""

    def __init__(self, folder: Path, views_url: str, clock: Clock) -> None:
        """Begin nothing yet.

        Args:
            folder: The engine's.
            views_url: Of the views' database.
        """
        self._engine_folder = folder
        self._folder = folder / EXPORTS
        self._views_url = views_url
        self._clock = clock
        self._gate = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._making = ""

    def begin(self, export: Export) -> Export:
        from workflows.exports.formats import check_format

        with self._gate:
            with suppress(NoSuchExport):
                return self._read(export.id)
            check_format(export.format)
            if self._process is not None and self._process.poll() is None:
                raise ExportsBusy
            try:
                self._folder.mkdir(mode=0o700, exist_ok=True)
                self._remove_old()
            except OSError as error:
                raise ExportsUnavailable(f"the folder of exports cannot be written: {error.strerror}") from error
            store_state(self._folder, export)
            self._start(export.id)
            return export

    def find(self, export_id: str) -> Export:
        with self._gate:
            export = self._read(export_id)
            if export.state is not ExportState.RUNNING:
                return export
            if self._making != export_id:  # the engine ended meanwhile
                if self._process is None or self._process.poll() is not None:
                    self._start(export_id)
            elif self._process is not None and self._process.poll() is not None:
                export = self._read(export_id)
                if export.state is ExportState.RUNNING:
                    export = replace(export, state=ExportState.FAILED, error="its process ended")
                    store_state(self._folder, export)
            return export

    def block(self, export_id: str, number: int) -> bytes:
        if self.find(export_id).state is not ExportState.DONE:
            raise NoSuchExport
        try:
            with (self._folder / export_id).open("rb") as file:
                file.seek(number * BLOCK)
                return file.read(BLOCK)
        except FileNotFoundError:
            raise NoSuchExport from None
        except OSError as error:
            raise ExportsUnavailable(f"an export cannot be read: {error.strerror}") from error

    def link(self, export_id: str) -> str | None:
        return None

    def close(self) -> None:
        """End the process, if there is one. Idempotent."""
        with self._gate:
            if self._process is not None and self._process.poll() is None:
                self._process.terminate()
                try:
                    self._process.wait(_END_WITHIN_S)
                except subprocess.TimeoutExpired:
                    self._process.kill()
                    self._process.wait()

    def _start(self, export_id: str) -> None:
        request = {"folder": str(self._engine_folder), "export": export_id, "views": self._views_url}
        process = start_module("workflows.embedded.export_process", stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        assert process.stdin is not None
        process.stdin.write(json.dumps(request).encode())  # the address may have a password, which no list shows so
        process.stdin.close()
        self._process, self._making = process, export_id

    def _read(self, export_id: str) -> Export:
        return read_state(self._folder, export_id)

    def _remove_old(self) -> None:
        before = self._clock.now() - KEPT
        for state in self._folder.glob("*.json"):
            export = self._read(state.stem)
            if read_timestamp(export.requested_at) < before:
                (self._folder / export.id).unlink(missing_ok=True)
                state.unlink(missing_ok=True)


def read_state(folder: Path, export_id: str) -> Export:
    """Read the state of an export. Raises NoSuchExport, ExportsUnavailable."""
    try:
        return msgspec.json.decode((folder / f"{export_id}.json").read_bytes(), type=Export)
    except (FileNotFoundError, ValueError):
        raise NoSuchExport from None
    except OSError as error:
        raise ExportsUnavailable(f"an export cannot be read: {error.strerror}") from error


def store_state(folder: Path, export: Export) -> None:
    """Replace the state of an export. Raises ExportsUnavailable."""
    try:
        write_private_content(folder / f"{export.id}.json", msgspec.json.encode(export))
    except OSError as error:
        raise ExportsUnavailable(f"an export cannot be written: {error.strerror}") from error
