"""The functions' code: what ``sam build`` packs, for this machine's interpreter and processor."""

from __future__ import annotations

import io
import subprocess
import zipfile

from tests.deployment.emulator import REPOSITORY

TARGET = "build/here/package.made"
PACKAGE = REPOSITORY / "build/here/package"


def code_for_this_machine() -> bytes:
    """A zip file as Lambda takes it; made if that was not done yet."""
    subprocess.run(["make", "--silent", TARGET], cwd=REPOSITORY, check=True)
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w") as archive:
        for file in PACKAGE.rglob("*"):
            archive.write(file, file.relative_to(PACKAGE))
    return zipped.getvalue()
