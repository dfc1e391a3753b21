"""The table of checkpoints in docs/audit.md, row by row, on SQLite and DynamoDB Local: what is done, what finds it."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import replace as replaced
from typing import Any

import pytest
from msgspec.structs import replace

from domain.identifiers import SYSTEM
from domain.order.events import CourierRequested
from tests.audit.trees import SIGNER
from tests.stores import ROOT, SettableClock, Store
from workflows.audit.changed_heads import ChangedHeads, FeedHeads
from workflows.audit.checkpoint_audit import audit_checkpoints
from workflows.audit.checkpoint_files import file_content, read_header, read_heads
from workflows.audit.checkpoints import CheckpointMaker
from workflows.audit.findings import Finding
from workflows.audit.noted_heads import NotedHeads, note_heads
from workflows.audit.signed_notes import LocalSigner, Signer, VerifierKey, signed
from workflows.audit.verify import verify
from workflows.event_store.commits import GENESIS, Commit, NewCommit, chain_hash
from workflows.in_memory.checkpoints import InMemoryCheckpoints
from workflows.in_memory.documents import InMemoryDocuments

VICTIM, OTHER = "order#victim", "order#other"
FORGER = LocalSigner(b"f" * 32)


class Audited:
    """A log with four checkpoints, and the copy of them that an auditor took home."""

    def __init__(self, store: Store, clock: SettableClock) -> None:
        self.store = store
        self.clock = clock
        self.log: Any = store.open()
        self.documents = InMemoryDocuments()
        self.files = InMemoryCheckpoints()
        for hour in range(4):
            self.append(VICTIM)
            self.append(OTHER)
            self.append(f"order#hour-{hour}")
            self.publish(SIGNER)
        self.copy = deepcopy(self.files)

    @property
    def changed(self) -> ChangedHeads:
        if hasattr(self.log, "changes"):
            return FeedHeads(self.log)
        return NotedHeads(self.documents, self.log, self.clock)

    def append(self, stream: str) -> None:
        """Append a commit, and let the follower of the log's stream note it."""
        self.clock.advance(seconds=1)
        history = self.log.load(stream)
        events = (CourierRequested(attempt=history.version),)
        key = f"k{history.version}"
        new = NewCommit(key=key, events=events, actor=SYSTEM, correlation="", causation="", body_hash="b")
        self.log.append(history, new)
        note_heads(self.documents, self.commits(stream)[-1:], self.clock.now())

    def publish(self, signer: Signer) -> None:
        assert CheckpointMaker(self.files, self.changed, signer).make(self.clock.advance(hours=1))

    def commits(self, stream: str = VICTIM) -> list[Commit]:
        return list(self.log.read(stream))

    def rewrite(self, commits: list[Commit], stream: str = VICTIM) -> None:
        """Replace a stream by these commits, with a chain that was computed for them."""
        for commit in self.commits(stream):
            self.store.delete(stream, commit.sk)
        previous = GENESIS
        for commit in commits:
            sealed = replace(commit, h=chain_hash(previous, commit))
            previous = sealed.h
            self.store.put(sealed)

    def republish(self, signer: Signer, numbers: range, **changes: str) -> None:
        """Sign these checkpoints again, with another key or another time."""
        for number in numbers:
            content = self.files.files[number]
            header = read_header(content)
            checkpoint = replaced(header.checkpoint, origin=signer.key.name, **changes)
            lines = content[header.start : header.heads_start].split(b"\n")[:-1]
            hashes = [b64decode(line) for line in lines]
            heads = read_heads(content[header.heads_start :])
            note = signed(checkpoint.text, signer)
            self.files.files[number] = file_content(
                note, key=signer.key, first=header.first, hashes=hashes, heads=heads
            )

    # --- the checks -----------------------------------------------------------------------------------------------

    def chain(self) -> list[Finding]:
        return list(verify(self.log).findings)

    def checkpoints(self, key: VerifierKey | None = None, **others: InMemoryCheckpoints) -> list[Finding]:
        audit = audit_checkpoints({"published": self.files, **others}, key)
        return [*audit.findings, *verify(self.log, published=audit.published).findings]

    def copies(self) -> list[Finding]:
        """Find with what an auditor has at home: the key, and a copy of the checkpoints."""
        return self.checkpoints(SIGNER.key, home=self.copy)


@pytest.fixture(params=["sqlite", "dynamodb-local"])
def audited(request: pytest.FixtureRequest, open_store: Any, clock: SettableClock) -> Iterator[Audited]:
    with open_store(request.param) as store:
        yield Audited(store, clock)


# --- what an attacker does --------------------------------------------------------------------------------------------


def edit(audited: Audited) -> None:
    second = audited.commits()[1]
    audited.store.put(replace(second, ev=second.ev.replace('"attempt":1', '"attempt":9')))


def delete_commit(audited: Audited) -> None:
    audited.store.delete(VICTIM, 2)


def swap(audited: Audited) -> None:
    first, second = audited.commits()[:2]
    audited.store.put(replace(first, sk=second.sk))
    audited.store.put(replace(second, sk=first.sk))


def reorder(audited: Audited) -> None:
    commits = audited.commits()
    for commit, after in zip(commits[:3], commits[1:3] + commits[:1], strict=True):
        audited.store.put(replace(commit, sk=after.sk, h=after.h))


def cut(audited: Audited) -> None:
    audited.store.delete(VICTIM, 3)
    audited.store.delete(VICTIM, 4)


def recompute(audited: Audited) -> None:
    commits = audited.commits()
    commits[1] = replace(commits[1], ev=commits[1].ev.replace('"attempt":1', '"attempt":9'))
    audited.rewrite(commits)


def recompute_and_go_on(audited: Audited) -> None:
    recompute(audited)
    audited.append(VICTIM)
    audited.publish(SIGNER)


def delete_order(audited: Audited) -> None:
    for commit in audited.commits():
        audited.store.delete(VICTIM, commit.sk)


def set_back_a_commit(audited: Audited) -> None:
    commits = audited.commits()
    commits[2] = replace(commits[2], ts=commits[0].ts)
    audited.rewrite([replace(commits[0], ts=commits[1].ts), *commits[1:]])


def set_back_the_clock(audited: Audited) -> None:
    now = audited.clock.time
    audited.clock.advance(hours=-3)
    audited.append("order#backdated")
    audited.clock.time = now


def set_back_a_checkpoint(audited: Audited) -> None:
    audited.republish(SIGNER, range(3, 4), made_at="2026-05-04T12:00:00.000000Z")


def replace_key_of_one(audited: Audited) -> None:
    audited.republish(FORGER, range(3, 4))


def replace_key_of_all(audited: Audited) -> None:
    audited.republish(FORGER, range(1, 5))


def delete_checkpoint(audited: Audited) -> None:
    del audited.files.files[2]


def delete_newest(audited: Audited) -> None:
    del audited.files.files[4]


def change_head(audited: Audited) -> None:
    content = audited.files.files[2]
    audited.files.files[2] = content.replace(b'["order#victim",2', b'["order#victim",3')


def fork(audited: Audited) -> None:
    """The order was changed, and all checkpoints were made again with the right key, as if it had always been so."""
    recompute(audited)
    audited.files.files.clear()
    audited.documents = InMemoryDocuments()
    audited.publish(SIGNER)


TAMPERINGS: dict[str, tuple[Callable[[Audited], None], str]] = {
    "a commit was edited": (edit, "does not match its hash"),
    "a commit was deleted": (delete_commit, "missing: the next commit begins with version 3"),
    "two commits were swapped": (swap, "swapped or reordered"),
    "three commits were put into another order": (reorder, "swapped or reordered"),
    "the last two commits of an order were cut off": (cut, "the tail is cut"),
    "an order was changed, and its whole chain computed again": (recompute, "differs from the published head"),
    "the same, and the order went on and was published again": (recompute_and_go_on, "differs from the published head"),
    "an order was deleted": (delete_order, "a head was published at version 4"),
    "a commit got an earlier time, and the chain was computed again": (set_back_a_commit, "earlier than the commit"),
    "an order was inserted while the clock was set back": (set_back_the_clock, "inserted: recorded at"),
    "a checkpoint was signed again with an earlier time": (set_back_a_checkpoint, "earlier than the one before it"),
    "a checkpoint was signed again with another key": (replace_key_of_one, "the key was replaced"),
    "all checkpoints were signed again with another key": (replace_key_of_all, "the key was replaced"),
    "a head in a checkpoint was changed": (change_head, "its root is not that of its heads"),
    "a checkpoint was deleted": (delete_checkpoint, "is missing"),
    "the newest checkpoint was deleted": (delete_newest, "checkpoints were removed there"),
    "an order was changed, and all checkpoints made again with the right key": (fork, "two histories were shown"),
}


def documented() -> dict[str, tuple[str, ...]]:
    """The rows of the table: what was done, and the results of the three checks."""
    table = (ROOT / "docs" / "audit.md").read_text().partition("## What checkpoints find")[2].partition("\n## ")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines() if line[:1] == "|"]
    return {what: tuple(checks) for what, *checks in rows[2:]}


@pytest.mark.parametrize("what", TAMPERINGS)
def test_each_tampering_is_found_and_named_by_the_checks_that_claim_it(what: str, audited: Audited) -> None:
    """No more and no less than the documentation says; the last check to find it says what was done."""
    tamper, words = TAMPERINGS[what]
    tamper(audited)
    results = (audited.chain(), audited.checkpoints(), audited.copies())
    assert tuple("found" if findings else "-" for findings in results) == documented()[what]
    assert any(words in finding.what for finding in results[-1]), results[-1]


def test_the_table_has_a_row_for_each_tampering_and_no_other() -> None:
    """The documentation states only what a test has tried."""
    assert documented().keys() == TAMPERINGS.keys()


def test_a_log_that_goes_on_untouched_has_no_finding(audited: Audited) -> None:
    """By any check, also while its newest commits are in no checkpoint yet, and after later ones."""
    for _ in range(2):
        assert (audited.chain(), audited.checkpoints(), audited.copies()) == ([], [], [])
        audited.append(VICTIM)
        audited.append("order#new")
    audited.publish(SIGNER)
    assert audited.copies() == []
