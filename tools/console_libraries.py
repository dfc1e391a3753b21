"""Fetch packages of npm: a group of those in ``console/libraries.json``, a few files of each.

npm downloads each package at its exact version; npm that a wheel of node brings, if there is no other. The integrity of
each package is checked here before anything of it is unpacked. The console's libraries go to
``console/lib/NAME-VERSION``, which git ignores and the wheel includes; the tools, which only tests need, go to
``.tools/console/NAME-VERSION``.

    python tools/console_libraries.py libraries|tools
"""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import TypedDict

REPOSITORY = Path(__file__).parents[1]
LIST = REPOSITORY / "console" / "libraries.json"
FOLDERS = {"libraries": REPOSITORY / "console" / "lib", "tools": REPOSITORY / ".tools" / "console"}
WITHIN_S = 120
"""A package takes about a second; npm tries again by itself."""


class Package(TypedDict):
    """An entry of ``libraries.json``: a package of npm and the files to take, all of them for a folder."""

    name: str
    version: str
    integrity: str
    files: list[str]


class NotFetched(Exception):
    """A package could not be fetched or is not the expected one. The message says which and what to do."""


def folder_of(package: Package) -> str:
    """Return the name of a package's folder; a scope such as ``@dagrejs/`` is left out."""
    return f"{package['name'].rpartition('/')[2]}-{package['version']}"


def main(group: str) -> int:
    """Fetch one group of packages and return the exit code."""
    try:
        _fetch_group(json.loads(LIST.read_text())[group], FOLDERS[group])
    except NotFetched as error:
        print(f"the console's {group} are not complete: {error}", file=sys.stderr)
        return 1
    return 0


def _fetch_group(packages: list[Package], into: Path) -> None:
    """Fetch the packages that are missing, then delete those of other versions."""
    into.mkdir(parents=True, exist_ok=True)
    missing = [package for package in packages if not (into / folder_of(package)).is_dir()]
    npm = _npm() if missing else ""
    for package in missing:
        print(f"fetching {package['name']} {package['version']} ...", file=sys.stderr)
        _fetch(npm, package, into / folder_of(package))
    wanted = {folder_of(package) for package in packages}
    for found in into.iterdir():
        if found.is_dir() and found.name not in wanted:
            shutil.rmtree(found)


def _fetch(npm: str, package: Package, into: Path) -> None:
    with tempfile.TemporaryDirectory() as temporary:
        archive = _download(npm, package, Path(temporary))
        check_integrity(archive.read_bytes(), package)
        unpacked = into.with_name(f"{into.name}.new")
        shutil.rmtree(unpacked, ignore_errors=True)
        unpack(archive, package["files"], unpacked)
        unpacked.rename(into)  # whole or not at all


def _download(npm: str, package: Package, folder: Path) -> Path:
    command = [npm, "pack", "--silent", "--pack-destination", str(folder), f"{package['name']}@{package['version']}"]
    try:
        subprocess.run(command, cwd=folder, check=True, timeout=WITHIN_S, stdout=subprocess.DEVNULL)
        return next(folder.glob("*.tgz"))
    except (OSError, subprocess.SubprocessError, StopIteration):
        raise NotFetched(f"npm could not download {package['name']}; is there a network?") from None


def check_integrity(archive: bytes, package: Package) -> None:
    """Compare an archive with the hash in the list. Raises NotFetched."""
    digest = base64.b64encode(hashlib.sha512(archive).digest()).decode()
    if package["integrity"] != f"sha512-{digest}":
        raise NotFetched(f"{package['name']} {package['version']} is not the package that {LIST.name} names; not used")


def unpack(archive: Path, files: list[str], into: Path) -> None:
    """Unpack some files of a package. Raises NotFetched if one is missing."""
    with tarfile.open(archive) as opened:
        members = {member.name.partition("/")[2]: member for member in opened.getmembers() if member.isfile()}
        for name in files:
            taken = [each for each in members if each == name or (name.endswith("/") and each.startswith(name))]
            if not taken:
                raise NotFetched(f"{archive.name} has no {name}")
            for each in taken:
                target = into / each
                target.parent.mkdir(parents=True, exist_ok=True)
                content = opened.extractfile(members[each])
                assert content is not None  # only regular files are listed
                target.write_bytes(content.read())


def _npm() -> str:
    """Return the command npm, or that of the wheel in ``.tools/node``. Raises NotFetched."""
    npm = shutil.which("npm")
    if npm is not None:
        return npm
    wheel = REPOSITORY / ".tools" / "node"
    made = subprocess.run(["make", "--silent", ".tools/node/installed"], cwd=REPOSITORY, check=False)
    if made.returncode:
        raise NotFetched("there is no npm, and the wheel that brings it could not be installed")
    return str(wheel / "bin" / "npm")


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
