"""Checkpoints: what they hold and cost, that they are made up for, and that an untouched place has no finding."""

from __future__ import annotations

import subprocess
from base64 import b64decode, b64encode
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.audit.trees import FIVE_HOURS, SIGNER, Published, published
from workflows.audit import checkpoints
from workflows.audit.changed_heads import FeedHeads
from workflows.audit.checkpoint_files import Checkpoint, FileMalformed, read_header, read_heads
from workflows.audit.checkpoint_store import CheckpointStore, CheckpointsUnavailable, CheckpointTaken
from workflows.audit.checkpoints import CheckpointMaker, CheckpointsBroken
from workflows.audit.findings import Head
from workflows.audit.signed_notes import LocalSigner, NoteRefused, VerifierKey, signed
from workflows.embedded.checkpoint_folder import FolderCheckpoints, signer_in
from workflows.in_memory.checkpoints import InMemoryCheckpoints


def heads_of(tree: Published, number: int) -> list[tuple[str, int]]:
    content = tree.files.files[number]
    return [(head.stream, head.version) for head in read_heads(content[read_header(content).heads_start :])]


def test_a_checkpoint_adds_the_streams_that_changed_since_the_one_before():
    """With the version that each of them has by then, in the order of their names."""
    tree = published(*FIVE_HOURS)
    assert [heads_of(tree, number) for number in range(1, 6)] == [
        [("order#a", 1), ("order#b", 1)],
        [("order#b", 2), ("order#c", 1)],
        [("order#d", 1)],
        [("order#d", 2), ("order#e", 1), ("order#f", 1)],
        [("order#g", 1)],
    ]
    assert tree.audit().findings == []
    assert tree.report().intact
    assert tree.report().heads == 9


@pytest.mark.parametrize("ahead_s", [-120, 0, 120])
def test_a_stream_is_proven_although_the_clock_of_its_writer_is_off(ahead_s):
    """Its commit may have a later time than the checkpoint that has it, and checkpoints may be minutes apart."""
    tree = published(("order#a",))
    tree.clock.advance(seconds=ahead_s)
    tree.append("order#b")
    tree.clock.advance(seconds=-ahead_s)
    tree.checkpoint(after_s=1)
    for stream in ("order#c", "order#d", "order#e"):
        tree.append(stream)
        tree.checkpoint(after_s=90)
    proof = tree.prove("order#b")
    assert (proof.version, proof.newest) == (1, 1)


def test_an_hour_without_changes_makes_no_checkpoint():
    """There is nothing to add, and the tree would be the same."""
    tree = published(("order#a",))
    assert tree.checkpoint() == []
    assert tree.files.newest() == 1


def test_a_checkpoint_is_due_an_hour_after_the_last_one():
    """Also if the engine was restarted in between: the time of the last one is in its file."""
    tree = published(("order#a",))
    assert not tree.maker.is_due(tree.clock.advance(minutes=59))
    restarted = CheckpointMaker(tree.files, FeedHeads(tree.log), SIGNER)
    assert restarted.is_due(tree.clock.advance(minutes=1))


def test_what_could_not_be_published_is_in_the_next_checkpoint():
    """A store that does not answer loses nothing."""
    tree = published(("order#a",))
    tree.append("order#b")
    working = tree.files.add

    def fail(number: int, content: bytes) -> None:
        raise CheckpointsUnavailable("the disk is full")

    tree.files.add = fail  # type: ignore[method-assign]
    with pytest.raises(CheckpointsUnavailable):
        tree.checkpoint()
    tree.files.add = working  # type: ignore[method-assign]
    tree.append("order#c")
    tree.checkpoint()
    assert heads_of(tree, 2) == [("order#b", 1), ("order#c", 1)]


def test_of_two_processes_that_make_a_checkpoint_one_publishes_it():
    """The other one continues behind it, so the history of checkpoints does not fork."""
    tree = published(("order#a",))
    tree.append("order#b")
    working = tree.files.add

    def overtaken(number: int, content: bytes) -> None:
        tree.files.add = working  # type: ignore[method-assign]
        CheckpointMaker(tree.files, FeedHeads(tree.log), SIGNER).make(tree.clock.now())
        tree.append("order#c")
        working(number, content)

    tree.files.add = overtaken  # type: ignore[method-assign]
    tree.checkpoint()
    assert [heads_of(tree, number) for number in (2, 3)] == [[("order#b", 1)], [("order#c", 1)]]
    assert tree.audit().findings == []


def test_many_commits_are_published_in_checkpoints_of_bounded_size(monkeypatch: pytest.MonkeyPatch):
    """The first checkpoint of a large log. Only the last of them says that it is complete."""
    monkeypatch.setattr(checkpoints, "COMMITS_MAX", 2)
    monkeypatch.setattr("workflows.audit.changed_heads.PAGE", 2)
    tree = Published()
    tree.append(*(f"order#{name}" for name in "abcde"))
    made = tree.checkpoint()
    assert [checkpoint.size for checkpoint in made] == [2, 4, 5]
    assert [checkpoint.complete_to != "" for checkpoint in made] == [False, False, True]
    assert tree.audit().findings == []


def test_a_checkpoint_costs_what_is_new_and_not_the_whole_tree():
    """It reads a logarithmic number of hashes of earlier files, and none of their heads but those of the newest."""
    tree = published(*(tuple(f"order#{hour}-{n}" for n in range(9)) for hour in range(40)))
    reads: list[int | None] = []
    whole = tree.files.read

    def counted(number: int, start: int = 0, length: int | None = None) -> bytes:
        reads.append(length)
        return whole(number, start, length)

    tree.files.read = counted  # type: ignore[method-assign]
    tree.append("order#new")
    tree.checkpoint()
    assert len([length for length in reads if length == 45]) <= 9  # of 360 leaves
    assert len([length for length in reads if length is None]) == 1


def test_a_log_that_was_restored_from_a_backup_is_published_again_from_its_beginning():
    """Its positions begin again, and its commits are no longer those that were published: verify names them."""
    tree = published(*FIVE_HOURS)
    restored = Published(tree.clock, tree.files)
    restored.append("order#a", "order#z")
    restored.checkpoint()
    assert {finding.stream for finding in restored.report().findings} >= {"order#a", "order#b"}


def test_a_checkpoint_of_another_key_is_not_continued():
    """A new key needs a place of its own, so that a replaced key is never taken for a rotated one."""
    tree = published(("order#a",))
    tree.append("order#b")
    with pytest.raises(CheckpointsBroken, match="is not signed by"):
        CheckpointMaker(tree.files, FeedHeads(tree.log), LocalSigner(b"o" * 32)).make(tree.clock.now())


def test_a_tree_whose_hashes_were_changed_is_not_continued():
    """Otherwise a wrong root would be signed."""
    tree = published(("order#a", "order#b", "order#c"))
    header = read_header(tree.files.files[1])
    content = bytearray(tree.files.files[1])
    content[header.start + 45 * 2] ^= 1  # the node over the first two leaves
    tree.files.files[1] = bytes(content)
    tree.append("order#d")
    with pytest.raises(CheckpointsBroken):
        tree.checkpoint()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.sampled_from("abcdefgh"), max_size=6), min_size=1, max_size=8))
def test_an_untouched_log_has_no_finding_whatever_changed_when(hours: list[list[str]]):
    """And every stream that was published can be proven."""
    tree = published(*(tuple(f"order#{name}" for name in hour) for hour in hours))
    assert tree.audit().findings == []
    assert tree.report().intact
    for stream in {f"order#{name}" for hour in hours for name in hour}:
        assert tree.prove(stream).version == tree.log.load(stream).version


# --- the note and the file --------------------------------------------------------------------------------------------


def test_a_checkpoint_is_a_signed_note_that_other_programs_can_read(tmp_path: Path):
    """The three lines of C2SP come first: origin, size, root in base64. OpenSSL verifies the signature."""
    tree = published(("order#a", "order#b"))
    header = read_header(tree.files.files[1])
    body, _, signature = header.note.partition("\n\n")
    assert body.split("\n")[:3] == [SIGNER.key.name, "2", b64encode(header.checkpoint.root).decode()]
    name, blob = signature.removeprefix("— ").split()
    assert name == SIGNER.key.name
    der = bytes.fromhex("302a300506032b6570032100") + SIGNER.key.public  # RFC 8410: the prefix of an Ed25519 key
    (tmp_path / "key.der").write_bytes(der)
    (tmp_path / "text").write_text(body + "\n")
    (tmp_path / "signature").write_bytes(b64decode(blob)[4:])
    command = ["openssl", "pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", "key.der", "-rawin"]
    done = subprocess.run(
        [*command, "-in", "text", "-sigfile", "signature"], cwd=tmp_path, capture_output=True, check=False
    )
    assert b"Verified Successfully" in done.stdout, done.stderr


def test_a_key_is_published_as_text_and_read_back():
    """As of C2SP: the name, the first bytes of the hash of name and key, and the key with its type."""
    key = VerifierKey.parse("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")  # from the standard
    assert key.name == "PeterNeumann"
    assert VerifierKey.parse(SIGNER.key.text) == SIGNER.key
    note = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n"
    note += (
        "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
    )
    assert key.check(note).startswith("If you think")
    with pytest.raises(NoteRefused):
        key.check(note.replace("problem,", "problems,"))


@pytest.mark.parametrize(
    "text", ["", "name", "name+00000000+AAAA", SIGNER.key.text.replace("+A", "+B"), SIGNER.key.text[:-1], "a+b+c+d"]
)
def test_what_is_not_a_verifier_key_is_refused(text: str):
    """With a message that says what one looks like."""
    with pytest.raises(NoteRefused, match="name\\+id\\+key"):
        VerifierKey.parse(text)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_each_changed_byte_of_a_checkpoint_file_is_found(data: st.DataObject):
    """Wherever it is: the text, the signature, the key, a stored hash or a head."""
    tree = published(("order#a", "order#b"), ("order#a", "order#c"))
    number = data.draw(st.integers(1, 2))
    content = bytearray(tree.files.files[number])
    at = data.draw(st.integers(0, len(content) - 1))
    content[at] = data.draw(st.integers(0, 255).filter(lambda byte: byte != content[at]))
    tree.files.files[number] = bytes(content)
    assert any(f"checkpoint {number}" in finding.stream for finding in tree.audit().findings)


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_each_cut_and_each_added_line_of_a_checkpoint_file_is_found(data: st.DataObject):
    """A file is exactly what was published."""
    tree = published(("order#a", "order#b"))
    content = tree.files.files[1]
    at = data.draw(st.integers(0, len(content) - 1))
    tree.files.files[1] = data.draw(st.sampled_from([content[:at], content[:at] + b"\n" + content[at:], b"\xff"]))
    assert tree.audit().findings


@pytest.mark.parametrize(
    "line",
    [
        *(b'[["x"],1,"00"]', b'["order#a",true,"00"]', b'["order#a","1","00"]'),
        *(b'["order#a",1.5,"00"]', b'[null,1,"00"]'),
    ],
)
def test_a_head_of_another_type_is_found_and_never_an_exception(line: bytes):
    """Whatever an attacker writes into a file, the audit names the file."""
    tree = published(("order#a", "order#b"))
    lines = tree.files.files[1].split(b"\n")
    lines[lines.index(b"heads") + 1] = line
    tree.files.files[1] = b"\n".join(lines)
    assert ["its heads are not in the form" in finding.what for finding in tree.audit().findings] == [True]
    assert tree.report().streams == 2


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a\n1\n",
        "o\n1\n" + "A" * 44 + "\nmade_at x\ncomplete_to y\nmark z\n",
        "o\n0\n",
        f"o\n{'9' * 30}\n{'A' * 43}=\nmade_at 2026-05-04T12:00:00.000000Z\ncomplete_to unknown\nmark 1\n",
        f"o\n1\n{'A' * 43}=\nmade_at tomorrow\ncomplete_to unknown\nmark 1\n",
    ],
)
def test_a_text_that_is_not_a_checkpoint_is_refused(text: str):
    """By its form, before anything is computed from it."""
    with pytest.raises(FileMalformed):
        Checkpoint.parse(text)


# --- the stores -------------------------------------------------------------------------------------------------------


@pytest.fixture(params=["memory", "folder"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> CheckpointStore:
    return InMemoryCheckpoints() if request.param == "memory" else FolderCheckpoints(tmp_path / "checkpoints")


def test_a_store_keeps_the_first_file_under_a_number(store: CheckpointStore):
    """A published checkpoint is never replaced."""
    assert (store.newest(), store.read(1)) == (0, b"")
    store.add(1, b"first")
    with pytest.raises(CheckpointTaken):
        store.add(1, b"second")
    assert (store.newest(), store.read(1), store.read(1, 2, 2)) == (1, b"first", b"rs")


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path):
    """One line, with the cause."""
    (tmp_path / "file").write_text("")
    with pytest.raises(CheckpointsUnavailable, match="file"):
        FolderCheckpoints(tmp_path / "file").add(1, b"")


def test_a_folder_leaves_nothing_behind_and_its_files_cannot_be_written(tmp_path: Path):
    """Neither a temporary file nor a writable one."""
    folder = FolderCheckpoints(tmp_path)
    folder.add(1, b"content")
    with pytest.raises(CheckpointTaken):
        folder.add(1, b"other")
    assert [(file.name, oct(file.stat().st_mode & 0o222)) for file in tmp_path.iterdir()] == [
        ("00000001.checkpoint", "0o0")
    ]


def test_the_key_of_a_folder_is_private_and_stays(tmp_path: Path):
    """Another user cannot sign, and a restart signs with the same key."""
    assert signer_in(tmp_path).key == signer_in(tmp_path).key
    assert (tmp_path / "checkpoint.key").stat().st_mode & 0o777 == 0o600


def test_a_signed_text_is_refused_under_another_key():
    """The name alone does not help."""
    note = signed("origin\n", SIGNER)
    other = VerifierKey(SIGNER.key.name, LocalSigner(b"o" * 32).key.public)
    with pytest.raises(NoteRefused):
        other.check(note)


def test_a_head_of_any_name_has_one_leaf():
    """A name with quotes or line ends cannot imitate another head."""
    tree = published(('order#"],["\n',))
    assert heads_of(tree, 1) == [('order#"],["\n', 1)]
    assert tree.audit().heads == [Head('order#"],["\n', 1, next(iter(tree.log.scan())).h)]
