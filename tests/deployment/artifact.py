"""The functions' code for this machine's interpreter: stands in until the build makes it."""

from __future__ import annotations

import compileall
import io
import py_compile
import shutil
import site
import tempfile
import zipfile
from pathlib import Path

from tests.deployment.emulator import REPOSITORY

PACKAGES = ("domain", "workflows", "handlers")
DEPENDENCIES = (
    *("msgspec", "pydantic", "pydantic_core", "typing_extensions.py", "annotated_types", "typing_inspection"),
    *("aws_lambda_powertools", "jmespath", "cryptography", "cffi", "_cffi_backend*"),
)


def code_for_this_machine() -> bytes:
    """A zip file as Lambda takes it, with bytecode, because the emulator unpacks it for every environment anew."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        for package in PACKAGES:
            shutil.copytree(REPOSITORY / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
        [packages] = site.getsitepackages()
        for name in DEPENDENCIES:
            for found in Path(packages).glob(name):
                if found.is_dir():
                    shutil.copytree(found, folder / found.name, ignore=shutil.ignore_patterns("__pycache__"))
                else:
                    shutil.copy(found, folder)
        compileall.compile_dir(folder, quiet=2, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
        zipped = io.BytesIO()
        with zipfile.ZipFile(zipped, "w") as archive:
            for file in folder.rglob("*"):
                archive.write(file, file.relative_to(folder))
        return zipped.getvalue()
