"""Names of the files in an engine's folder that several modules open."""

from __future__ import annotations

from typing import Final

DATABASE: Final = "expediter.sqlite"
"""The event log, documents, data keys, executions and their journal, the feed's checkpoint."""

VIEWS: Final = "views.sqlite"
"""The views of the log."""

PICTURES: Final = "pictures"
"""The folder of pictures of restaurants' items."""

VIEWS_KEY: Final = "views.key"
"""The key of the views' blind indexes."""

ERASED_KEYS: Final = "erased-keys.txt"
"""The ids of the keys that were destroyed. No backup contains it."""

BACKUP_MARK: Final = "this-is-a-backup.txt"
"""In a backup alone: an engine refuses to run on a folder with it."""
