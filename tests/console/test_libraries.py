"""The step that installs the console's libraries: what it checks before it unpacks anything."""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import io
import json
import re
import subprocess
import tarfile
from pathlib import Path
from types import ModuleType

import pytest

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def step() -> ModuleType:
    spec = importlib.util.spec_from_file_location("console_libraries", REPOSITORY / "tools" / "console_libraries.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def archive_of(folder: Path, files: dict[str, bytes]) -> Path:
    path = folder / "package.tgz"
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(f"package/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def test_a_package_with_another_hash_is_not_used(step: ModuleType, tmp_path: Path) -> None:
    """A registry that serves something else is found before a file of it is written."""
    archive = archive_of(tmp_path, {"a.mjs": b"export {}"}).read_bytes()
    digest = base64.b64encode(hashlib.sha512(archive).digest()).decode()
    package = {"name": "a", "version": "1.0.0", "integrity": f"sha512-{digest}", "files": ["a.mjs"]}
    step.check_integrity(archive, package)
    with pytest.raises(step.NotFetched, match=r"a 1\.0\.0 is not the package"):
        step.check_integrity(archive + b"x", package)


def test_only_the_named_files_are_taken(step: ModuleType, tmp_path: Path) -> None:
    """Scripts, tests and whatever else a package holds stay out; a file that is missing is an error."""
    archive = archive_of(tmp_path, {"dist/a.mjs": b"1", "install.js": b"2", "types/x.d.ts": b"3"})
    step.unpack(archive, ["dist/a.mjs", "types/"], tmp_path / "out")
    taken = sorted(str(file.relative_to(tmp_path / "out")) for file in (tmp_path / "out").rglob("*") if file.is_file())
    assert taken == ["dist/a.mjs", "types/x.d.ts"]
    with pytest.raises(step.NotFetched, match=r"has no b\.mjs"):
        step.unpack(archive, ["b.mjs"], tmp_path / "out")


def test_the_list_is_exact_and_names_no_registry() -> None:
    """Each package has one version and one hash, and comes from where npm is configured to look."""
    text = (REPOSITORY / "console" / "libraries.json").read_text()
    assert "://" not in text
    for packages in json.loads(text).values():
        for package in packages:
            assert re.fullmatch(r"\d+\.\d+\.\d+", package["version"])
            assert len(base64.b64decode(package["integrity"].removeprefix("sha512-"))) == 64
            assert package["files"]


@pytest.mark.parametrize(
    ("target", "groups"), [("demo", {"libraries"}), ("console", {"libraries"}), ("setup", {"libraries", "tools"})]
)
def test_the_demo_fetches_what_the_console_needs_and_the_tests_the_rest(target: str, groups: set[str]) -> None:
    """A first run does not wait for a compiler that only tests need."""
    command = ["make", "--dry-run", "--what-if=console/libraries.json", target]
    steps = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout
    assert set(re.findall(r"tools/console_libraries\.py (\w+)", steps)) == groups


def test_one_group_of_packages_is_fetched(step: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """Into the folder of the group."""
    fetched: list[tuple[list[str], Path]] = []
    monkeypatch.setattr(
        step, "_fetch_group", lambda packages, into: fetched.append(([p["name"] for p in packages], into))
    )
    assert step.main("libraries") == 0
    assert fetched == [(["preact", "htm", "@dagrejs/dagre"], REPOSITORY / "console" / "lib")]
