"""``expediter-verify``: a bundle of the engine is verified, and any alteration of it is refused with its place."""

from __future__ import annotations

import copy
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.audit.trees import FIVE_HOURS, SIGNER, published
from tests.audit.verifier import FILE, VERIFIER
from workflows.audit.signed_notes import LocalSigner

TREE = published(*FIVE_HOURS)
BUNDLE = TREE.prove("order#d").bundle


def written(bundle: Any) -> bytes:
    """As the API answers and the command line writes it."""
    return json.dumps(bundle, ensure_ascii=False, separators=(",", ":")).encode()


CONTENT = written(BUNDLE)


def refused(content: bytes, pinned: str | None = None) -> str:
    """The refusal: its place and the problem."""
    with pytest.raises(VERIFIER.Refused) as error:
        VERIFIER.verify(content, pinned)
    return str(error.value)


@pytest.mark.parametrize("name", "abcdefg")
def test_a_bundle_of_each_order_is_verified(name: str):
    """Whichever checkpoint it is in, and with a line end behind it or not."""
    proof = TREE.prove(f"order#{name}")
    result = VERIFIER.verify(written(proof.bundle) + b"\n", SIGNER.key.text)
    assert (result["stream"], result["version"]) == (f"order#{name}", proof.version)


def test_a_proof_is_about_the_last_version_that_a_checkpoint_has():
    """Later commits are not in the bundle, because nothing outside the log vouches for them yet."""
    tree = published(*FIVE_HOURS)
    tree.append("order#a")
    proof = tree.prove("order#a")
    assert (proof.version, proof.newest) == (1, 2)
    assert VERIFIER.verify(written(proof.bundle))["version"] == 1
    tree.checkpoint()
    assert VERIFIER.verify(written(tree.prove("order#a").bundle))["version"] == 2


# --- each value -------------------------------------------------------------------------------------------------------


def places(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Every place in a JSON value, containers too."""
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, each in inner:
        yield from places(each, (*path, name))


def other_values(value: Any) -> list[Any]:
    """Values of another type, and some of the same type."""
    common: list[Any] = [None, True, -1, 0, 2**70, 1.5, "", "x", [], ["x"], {}, {"x": 1}]
    if isinstance(value, str):
        common += [value + " ", value.upper(), value[1:], value[:-1], value.replace("1", "2"), f"{value}\n"]
    if isinstance(value, int):
        common += [value + 1, str(value), float(value)]
    if isinstance(value, list):
        common += [value[1:], value[:-1], value[::-1], [*value, *value[-1:]]]
    if isinstance(value, dict):
        common += [{**value, "more": 1}, dict(list(value.items())[1:]), dict(reversed(value.items()))]
    kept = written(value)
    return [each for each in common if written(each) != kept]


def changed(path: tuple[str | int, ...], value: Any) -> Any:
    bundle: Any = copy.deepcopy(BUNDLE)
    if not path:
        return value
    inside = bundle
    for name in path[:-1]:
        inside = inside[name]
    inside[path[-1]] = value
    return bundle


def at(path: tuple[str | int, ...]) -> Any:
    value: Any = BUNDLE
    for name in path:
        value = value[name]
    return value


def in_words(path: tuple[str | int, ...]) -> str:
    return "".join(f"[{name}]" if isinstance(name, int) else f".{name}" for name in path).lstrip(".")


@pytest.mark.parametrize("path", list(places(BUNDLE)), ids=in_words)
def test_each_value_that_is_replaced_is_refused_with_its_place(path: tuple[str | int, ...]):
    """By a value of any type, a similar one, fewer or more."""
    for value in other_values(at(path)):
        problem = refused(written(changed(path, value)))
        named = problem.partition(":")[0]
        assert named in places_that_may_be_named(path), f"{value!r} at {in_words(path)}: {problem}"


def places_that_may_be_named(path: tuple[str | int, ...]) -> set[str]:
    """The place itself, one around it, or one that is computed from it."""
    around = {in_words(path[:length]) for length in range(1, len(path) + 1)}
    if not path:
        return {"bundle"}
    computed = {
        "format": set(),
        "key": {"checkpoint"},  # a name that is not that of the checkpoint
        "stream": {"commits[0]"},
        "commits": {"commits[0].version", "commits[1].version", "commits[2].version", "commits[0]", "inclusion"},
        "leaf": {"inclusion"},
        "inclusion": {"inclusion", "inclusion[0]"},
        "checkpoint": {"inclusion", "consistency"},
        "consistency": {"consistency", "consistency[0]"},
        "newest": {"consistency"},
    }
    return around | computed[str(path[0])]


def test_two_orders_cannot_be_mixed():
    """Neither the commits nor the proof of one order fit another one."""
    other = TREE.prove("order#b").bundle
    for name in BUNDLE:
        if BUNDLE[name] != other[name]:
            assert refused(written({**BUNDLE, name: other[name]}))


# --- each byte --------------------------------------------------------------------------------------------------------


def test_each_byte_that_is_changed_is_refused():
    """Every byte of the file, once each: by another digit, letter, sign, space, control character or byte."""
    classes = (b"7", b"f", b'"', b" ", b"\\", b"\x00", b"\xff", b"\n", b"{", b",")
    for place in range(len(CONTENT)):
        byte = next(each for each in classes[place % len(classes) :] + classes if each != CONTENT[place : place + 1])
        assert refused(CONTENT[:place] + byte + CONTENT[place + 1 :])


@settings(max_examples=500, deadline=None)
@given(st.data())
def test_any_bytes_in_any_place_are_refused(data: st.DataObject):
    """Inserted, removed, or in the place of others; in JSON that means the same too."""
    start = data.draw(st.integers(0, len(CONTENT)))
    length, new = data.draw(st.integers(0, 3)), data.draw(st.binary(max_size=3) | st.sampled_from([b" ", b"\\u0041"]))
    content = CONTENT[:start] + new + CONTENT[start + length :]
    if content.removesuffix(b"\n") != CONTENT:
        assert re.match(r"[a-z]+(\[\d+\])?(\.[a-z_]+)?( byte \d+)?:", refused(content))


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"\n", b"null", b"[]", b"{}", b"[" * 100_000, b'{"format":1e999}', b"9" * 5000, b"\xff\xfe"),
        json.dumps(BUNDLE, indent=1).encode(),
        CONTENT.replace(b'{"format"', b'{"format":"x","format"', 1),
        CONTENT.replace(b"order#d", b"\\u006frder#d", 1),
        CONTENT + CONTENT,
    ],
)
def test_a_file_in_another_form_is_refused(content: bytes):
    """Also if a reader of JSON takes it for the same values: what is read is what was hashed."""
    assert refused(content).partition(":")[0].partition(" ")[0] in {"file", "bundle"}


# --- keys and histories -----------------------------------------------------------------------------------------------


def test_a_bundle_that_another_party_signed_is_refused_if_the_key_is_passed():
    """Without a key of one's own a forger's bundle is as good as any: the verifier says so."""
    forger = published(*FIVE_HOURS, signer=LocalSigner(b"f" * 32))
    content = written(forger.prove("order#d").bundle)
    assert VERIFIER.verify(content)["version"] == 2
    assert refused(content, SIGNER.key.text).startswith("key: is not the one that was passed")


def test_a_bundle_of_another_history_is_refused():
    """A checkpoint that is consistent with itself, but not with the newest one."""
    other = published(("order#x", "order#d"), ("order#d",)).prove("order#d").bundle
    assert refused(written({**other, "newest": BUNDLE["newest"]})).startswith("consistency")
    assert refused(written({**BUNDLE, "newest": other["newest"]})).startswith("newest")


def test_two_files_with_two_histories_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """Two auditors compare what each of them was shown."""
    forked = published(("order#a", "order#z"), *FIVE_HOURS[1:])
    files = [tmp_path / "mine.json", tmp_path / "yours.json"]
    for file, tree in zip(files, (TREE, forked), strict=True):
        file.write_bytes(written(tree.prove("order#d").bundle))
    assert run(*map(str, files)) == 1
    printed = capsys.readouterr()
    assert "mine.json: verified" in printed.out
    assert "two histories" in printed.err


def test_two_files_with_two_histories_of_one_order_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """Also if no tree of one has the size of a tree of the other. An earlier proof of the same history is accepted."""
    tree = published(*FIVE_HOURS[:3])
    earlier = tree.prove("order#d").bundle
    tree.append("order#d")
    tree.checkpoint()
    forked = published(("order#x", "order#y", "order#d"))
    bundles = {"earlier": earlier, "later": tree.prove("order#d").bundle, "forked": forked.prove("order#d").bundle}
    for name, bundle in bundles.items():
        (tmp_path / f"{name}.json").write_bytes(written(bundle))
    assert run(str(tmp_path / "earlier.json"), str(tmp_path / "later.json")) == 0
    assert run(str(tmp_path / "later.json"), str(tmp_path / "earlier.json")) == 0
    for one in ("earlier", "later"):
        for files in ((one, "forked"), ("forked", one)):
            capsys.readouterr()
            assert run(*(str(tmp_path / f"{name}.json") for name in files)) == 1
            assert "commits[0]: differs from that in" in capsys.readouterr().err


def run(*arguments: str) -> int:
    argv, sys.argv = sys.argv, ["expediter-verify", *arguments]
    try:
        code: int = VERIFIER.main()
        return code
    finally:
        sys.argv = argv


def test_the_command_prints_what_is_proven(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """Order, version, checkpoints, key, and on request the events; a file that is missing is exit code 2."""
    file = tmp_path / "order.json"
    file.write_bytes(CONTENT)
    assert run(str(file), "--key", SIGNER.key.text, "--events") == 0
    printed = capsys.readouterr().out
    assert "'order#d' up to version 2" in printed
    assert "version 1 at 2026-05-04T14:00:05.000000Z: 'CourierRequested'" in printed
    assert run(str(tmp_path / "missing")) == 2


def test_the_verifier_is_one_file_that_a_person_can_read():
    """Within ten minutes: 300 lines, the standard library and one package; and no code of the engine."""
    text = FILE.read_text()
    assert len(text.splitlines()) <= 300
    imported = set(re.findall(r"^(?:from|import) ([\w]+)", text, re.M))
    assert imported - sys.stdlib_module_names == {"cryptography"}


# --- the distribution -------------------------------------------------------------------------------------------------


def test_the_wheel_verifies_in_an_environment_with_cryptography_alone(tmp_path: Path):
    """As an auditor has it: ``pip install``, then the command, with no other package of the engine."""
    built = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=FILE.parent,
        capture_output=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    environment = tmp_path / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(environment)], check=True)
    (wheel,) = tmp_path.glob("*.whl")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", str(environment / "bin" / "python")]
    command = [*pip, "install", "--quiet", str(wheel)]
    installed = subprocess.run(command, capture_output=True, check=False, timeout=240)
    if installed.returncode != 0 and b"cryptography" in installed.stderr:
        pytest.skip("cryptography cannot be downloaded here")
    assert installed.returncode == 0, installed.stderr
    (tmp_path / "order.json").write_bytes(CONTENT)
    (tmp_path / "altered.json").write_bytes(CONTENT.replace(b"order#d", b"order#e"))
    verify = environment / "bin" / "expediter-verify"
    for file, code in (("order.json", 0), ("altered.json", 1)):
        done = subprocess.run([verify, file], cwd=tmp_path, capture_output=True, check=False)
        assert done.returncode == code, done.stderr
    listed = subprocess.run([*pip, "list"], capture_output=True, check=True).stdout.decode()
    assert not {"expediter", "msgspec", "pydantic"} & set(listed.split())
