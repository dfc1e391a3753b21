"""The functions' code as ``sam build`` packs it, for this machine's interpreter and processor."""

from __future__ import annotations

import io
import subprocess
import zipfile

from tests.deployment.emulator import REPOSITORY

TARGET = "build/here/package.made"
PACKAGE = REPOSITORY / "build/here/package"


def code_for_this_machine() -> bytes:
    """Return a zip file for Lambda, which is built if needed."""
    subprocess.run(["make", "--silent", TARGET], cwd=REPOSITORY, check=True)
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w") as archive:
        for file in PACKAGE.rglob("*"):
            archive.write(file, file.relative_to(PACKAGE))
    return zipped.getvalue()
