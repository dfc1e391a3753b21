"""The contract of every event log."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from domain.identifiers import SYSTEM, CustomerId, OrderId, RestaurantId, Sku
from domain.money import Money
from domain.order.events import (
    CourierRequested,
    Line,
    OrderCompleted,
    OrderParked,
    OrderPlaced,
    PaymentAuthorizationRequested,
    PaymentAuthorized,
    PreparationRequested,
    RunStarted,
)
from domain.personal import Contact, Erased
from workflows.engine import EVENT_TYPES
from workflows.event_store.codec import Codec
from workflows.event_store.commits import ChainBroken, History, KeyReused, KeySeen, NewCommit, PastHistory, chain_hash
from workflows.event_store.event_log import (
    ITEM_MAX_BYTES,
    CommitTooLarge,
    StreamUnavailable,
    WrongExpectedVersion,
    item_size,
)
from workflows.event_store.event_types import NotStorable
from workflows.in_memory.keyring import InMemoryKeyRing

STREAM = "order#ord_aaaaaaaaaaaaaaaaaaaaaaaaaa"
NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
TEN = Money(1000, "EUR")
ADA = Contact(name="Ada", phone="+49 30 1234", address="Unter den Linden 1", note="2nd floor")


def commit(key: str, *events, body: str = "body", subject: str | None = "ada") -> NewCommit:
    return NewCommit(
        key=key,
        events=events or (PreparationRequested(),),
        actor=SYSTEM,
        correlation="corr",
        causation="cause",
        body_hash=body,
        subject=subject,
    )


def placed(contact: Contact | Erased = ADA, payment_method: str | Erased = "pm_1") -> OrderPlaced:
    return OrderPlaced(
        order_id=OrderId("ord_aaaaaaaaaaaaaaaaaaaaaaaaaa"),
        customer=CustomerId("ada"),
        restaurant=RestaurantId("luigi"),
        lines=(Line(sku=Sku("margherita"), name="Pizza Margherita", quantity=1, unit_price=TEN),),
        delivery_fee=TEN,
        service_fee=TEN,
        tip=TEN,
        payment_method=payment_method,
        contact=contact,
        placed_at=NOON,
    )


def grown(log, commits: int) -> History:
    """A stream of commits of one, two, one, two ... events."""
    history = log.load(STREAM)
    for n in range(commits):
        events = [CourierRequested(attempt=n + 1), PreparationRequested()]
        history = log.append(history, commit(f"k{n}", *events[: 1 + n % 2]))
    return history


# --- appending and loading --------------------------------------------------------------------------------------------


def test_a_stream_without_commits_is_empty(log):
    """An order that does not exist has a history of version 0, to which it can be placed."""
    history = log.load(STREAM)
    assert (history.version, history.events, history.keys) == (0, (), {})


def test_appended_events_are_loaded_with_actor_time_and_cause(log, clock):
    """The history after an append is the history a reader loads."""
    authorized = PaymentAuthorized(answers=2, authorization_id="auth_1", amount=TEN, at=NOON)
    history = log.append(
        log.load(STREAM), commit("place", placed(), PaymentAuthorizationRequested(amount=TEN, payment_method="pm_1"))
    )
    clock.advance(seconds=2)
    history = log.append(history, commit("authorize", authorized))
    loaded = log.load(STREAM)
    assert loaded == history
    assert loaded.version == 3
    assert loaded.events == (placed(), PaymentAuthorizationRequested(amount=TEN, payment_method="pm_1"), authorized)
    last = loaded.recorded[2]
    assert (last.version, last.key, last.actor, last.correlation, last.causation) == (
        3,
        "authorize",
        SYSTEM,
        "corr",
        "cause",
    )
    assert last.recorded_at == NOON + timedelta(seconds=2)
    assert loaded.keys == {"place": KeySeen(1, 2, "body"), "authorize": KeySeen(3, 3, "body")}


def test_several_events_are_one_commit(log, store):
    """One conditional write holds all of them, or none."""
    log.append(log.load(STREAM), commit("place", placed(), PreparationRequested(), CourierRequested(attempt=1)))
    (stored,) = log.read(STREAM)
    assert (stored.sk, stored.size) == (1, 3)
    assert [event.version for event in log.load(STREAM).recorded] == [1, 2, 3]


def test_a_commit_has_events_and_a_key():
    """Without events there is nothing to write; without a key a replay could not be recognised."""
    with pytest.raises(ValueError, match="at least one event"):
        NewCommit(key="k", events=(), actor=SYSTEM, correlation="", causation="", body_hash="")
    with pytest.raises(ValueError, match="a key"):
        commit("")


def test_a_stream_needs_a_name_that_a_partition_key_can_hold(log):
    """DynamoDB's limit is 1 to 2048 bytes; every adapter refuses other names in the same way."""
    for name in ("", "x" * 2049):
        with pytest.raises(ValueError, match="1 to 2048 bytes"):
            log.append(log.load(name) if name else History(stream=name), commit("k"))


# --- conflicts and replays --------------------------------------------------------------------------------------------


def test_a_conflict_carries_the_history_with_the_winning_commit(log):
    """The loser can decide again without another read."""
    before = log.append(log.load(STREAM), commit("place", placed()))
    log.append(before, commit("first", PreparationRequested(), CourierRequested(attempt=1)))
    with pytest.raises(WrongExpectedVersion) as conflict:
        log.append(before, commit("second", OrderCompleted()))
    assert (conflict.value.stream, conflict.value.expected, conflict.value.winner.k) == (STREAM, 1, "first")
    assert conflict.value.history == log.load(STREAM)
    after = log.append(conflict.value.history, commit("second", OrderCompleted()))
    assert after.events == (placed(), PreparationRequested(), CourierRequested(attempt=1), OrderCompleted())


def test_a_retry_after_a_lost_response_is_a_success(log):
    """The write took effect and its answer was lost; the retry finds its own commit and adds nothing."""
    before = log.load(STREAM)
    first = log.append(before, commit("place", placed()))
    replayed = log.append(before, commit("place", placed()))
    assert replayed == first == log.load(STREAM)


def test_a_replayed_append_returns_the_stored_events_and_not_those_of_the_retry(log):
    """A retry may decide differently because time has passed; the first decision is the recorded one."""
    before = log.load(STREAM)
    log.append(before, commit("run", RunStarted(run=1, by=SYSTEM, reason="first")))
    replayed = log.append(before, commit("run", RunStarted(run=1, by=SYSTEM, reason="second")))
    assert replayed.events == (RunStarted(run=1, by=SYSTEM, reason="first"),)


def test_the_same_key_later_in_the_stream_is_a_replay_too(log):
    """The lost write is at a later version than the one the retry tries first."""
    stale = log.load(STREAM)
    history = log.append(stale, commit("other", placed()))
    history = log.append(history, commit("mine", PreparationRequested()))
    with pytest.raises(WrongExpectedVersion) as conflict:
        log.append(stale, commit("mine", PreparationRequested()))
    assert log.append(conflict.value.history, commit("mine", PreparationRequested())) == history
    assert log.append(log.load(STREAM), commit("mine", PreparationRequested())) == history
    assert log.load(STREAM).version == 2


def test_the_same_key_with_another_body_is_refused(log):
    """It is a mistake of the caller and no retry, at the head of the stream and anywhere in it."""
    before = log.load(STREAM)
    history = log.append(before, commit("place", placed(), body="one"))
    for known in (before, history):
        with pytest.raises(KeyReused, match="another body"):
            log.append(known, commit("place", placed(), body="two"))
    assert log.load(STREAM).find("place", "one") == KeySeen(1, 1, "one")
    assert log.load(STREAM).find("other", "one") is None


def test_an_append_cannot_leave_a_gap_or_overlap(log):
    """A commit's version is that of the loaded history plus one, and a history of the past cannot be appended to."""
    history = grown(log, 4)
    past = PastHistory(stream=STREAM, recorded=history.recorded[:3])
    with pytest.raises(TypeError, match="PastHistory"):
        log.append(past, commit("late"))
    assert not isinstance(past, History)
    assert not hasattr(past, "head")
    starts = [(stored.sk, stored.size) for stored in log.read(STREAM)]
    assert starts == [(1, 1), (2, 2), (4, 1), (5, 2)]


def test_streams_are_independent(log):
    """Each stream has its own versions."""
    log.append(log.load("order#a"), commit("k", OrderCompleted()))
    log.append(log.load("order#b"), commit("k", PreparationRequested()))
    assert log.load("order#a").events == (OrderCompleted(),)
    assert log.load("order#b").events == (PreparationRequested(),)


def test_sixteen_writers_on_one_stream_have_one_winner_a_version_and_lose_nothing(log):
    """Every writer appends each of its commits exactly once, by deciding again on the history in the refusal."""
    writers, each = 16, 2
    start = threading.Barrier(writers)
    failures: list[BaseException] = []

    def write(writer: int) -> None:
        try:
            history = log.load(STREAM)
            start.wait(30)
            for n in range(each):
                event = OrderParked(run=writer, error=str(n), detail="")
                while True:
                    try:
                        history = log.append(history, commit(f"{writer}/{n}", event))
                        break
                    except WrongExpectedVersion as conflict:
                        history = conflict.history
                    except StreamUnavailable:
                        continue  # the machine is busy; the same key makes a retry safe
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(writers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    recorded = log.load(STREAM).recorded
    assert [event.version for event in recorded] == list(range(1, writers * each + 1))
    assert len({event.key for event in recorded}) == writers * each
    for writer in range(writers):
        assert [e.event.error for e in recorded if e.event.run == writer] == [str(n) for n in range(each)]


# --- sizes ------------------------------------------------------------------------------------------------------------


def test_a_stream_longer_than_a_page_of_one_megabyte_is_loaded_whole(log):
    """DynamoDB answers with pages of 1 MB, and all pages are read."""
    history = log.load(STREAM)
    for n in range(6):
        history = log.append(history, commit(f"k{n}", OrderParked(run=n, error="e", detail="d" * 390_000)))
    assert sum(item_size(stored) for stored in log.read(STREAM)) > 2_000_000
    assert log.load(STREAM) == history
    assert [stored.sk for stored in log.scan()] == [1, 2, 3, 4, 5, 6]


def test_a_commit_of_400_kilobytes_is_stored_and_one_byte_more_is_refused_before_it_is_sent(log, store):
    """The limit of a DynamoDB item holds in every log, so that its commits fit into any other."""

    def parked(length: int) -> NewCommit:
        return commit("k", OrderParked(run=1, error="e", detail="x" * length))

    empty = log.append(log.load("order#probe"), parked(0))
    (probe,) = log.read("order#probe")
    overhead = item_size(replace(probe, pk=STREAM))
    room = ITEM_MAX_BYTES - overhead
    with pytest.raises(CommitTooLarge, match="409600") as refusal:
        log.append(log.load(STREAM), parked(room + 1))
    assert refusal.value.size_bytes == ITEM_MAX_BYTES + 1
    assert log.load(STREAM).version == 0
    assert log.append(log.load(STREAM), parked(store.item_max_bytes - overhead)).version == empty.version


# --- time -------------------------------------------------------------------------------------------------------------


def test_times_of_a_stream_do_not_go_backwards_with_the_clock(log, clock):
    """A commit is never recorded earlier than the one before it; later the clock's time is used again."""
    history = log.append(log.load(STREAM), commit("k1"))
    clock.advance(hours=-1)
    history = log.append(history, commit("k2"))
    clock.advance(hours=2)
    history = log.append(history, commit("k3"))
    assert [event.recorded_at for event in log.load(STREAM).recorded] == [NOON, NOON, NOON + timedelta(hours=1)]


# --- the chain --------------------------------------------------------------------------------------------------------


EDITED = "does not match its hash"


@pytest.mark.parametrize(
    ("tamper", "version", "what"),
    [
        (lambda store, c: store.put(replace(c[1], ev=c[1].ev.replace('"attempt":2', '"attempt":7'))), 2, EDITED),
        (lambda store, c: store.put(replace(c[1], k="other-key")), 2, EDITED),
        (lambda store, c: store.put(replace(c[1], ts="2026-05-04T12:30:00.000000Z")), 2, EDITED),
        (lambda store, c: store.delete(STREAM, c[1].sk), 2, "missing: the next commit begins with version 4"),
        (lambda store, c: store.delete(STREAM, c[0].sk), 1, "missing: the next commit begins with version 2"),
        (lambda store, c: [store.put(replace(c[0], sk=4)), store.put(replace(c[2], sk=1))], 1, EDITED),
        (lambda store, c: store.put(replace(c[0], sk=3)), 3, "overlaps the commit before it"),
    ],
    ids=["edited", "other key", "other time", "deleted", "beginning deleted", "swapped", "inserted"],
)  # fmt: skip
def test_a_stream_that_was_tampered_with_is_not_loaded(log, store, tamper: Callable, version: int, what: str):
    """The chain is verified on load, and the error names stream, version and what is wrong."""
    grown(log, 4)
    tamper(store, list(log.read(STREAM)))
    with pytest.raises(ChainBroken, match=what) as broken:
        log.load(STREAM)
    assert (broken.value.stream, broken.value.version) == (STREAM, version)


def test_a_recomputed_commit_earlier_than_the_one_before_it_is_not_loaded(log, store):
    """A recomputed hash does not make a time that goes backwards valid."""
    history = grown(log, 2)
    last = list(log.read(STREAM))[-1]
    first = next(iter(log.read(STREAM)))
    earlier = replace(last, ts="2026-05-04T11:00:00.000000Z")
    store.put(replace(earlier, h=chain_hash(first.h, earlier)))
    with pytest.raises(ChainBroken, match="earlier than the commit before it"):
        log.load(STREAM)
    assert history.version == 3


def test_a_commit_copied_into_another_stream_is_not_loaded(log, store):
    """The hash covers the name of the stream."""
    grown(log, 1)
    store.put(replace(next(iter(log.read(STREAM))), pk="order#other"))
    with pytest.raises(ChainBroken, match="does not match its hash"):
        log.load("order#other")


def test_a_winning_commit_that_does_not_continue_the_loaded_history_is_refused(log, store):
    """A conflict returns a commit without a verified load, so its hash is checked too."""
    before = log.append(log.load(STREAM), commit("k1"))
    log.append(before, commit("k2"))
    store.put(replace(list(log.read(STREAM))[1], k="forged"))
    with pytest.raises(ChainBroken):
        log.append(before, commit("k3"))


# --- personal data ----------------------------------------------------------------------------------------------------


def test_personal_fields_are_not_readable_in_the_store(log):
    """Names, phone numbers and addresses are stored encrypted with the customer's key."""
    log.append(log.load(STREAM), commit("place", placed()))
    (stored,) = log.read(STREAM)
    assert "margherita" in stored.ev
    for secret in (ADA.name, ADA.phone, ADA.address, ADA.note):
        assert f'"{secret}"' not in stored.ev


def test_erasure_leaves_the_chain_valid_and_the_facts_in_place(log, keyring):
    """Destroying the key erases the personal fields, not the order."""
    history = log.append(log.load(STREAM), commit("place", placed()))
    assert keyring.destroy("ada", keyring.key_id_of("ada"))
    erased = log.load(STREAM)
    assert erased.events == (placed(contact=Erased(), payment_method=Erased()),)
    assert erased.head == history.head
    after = log.append(erased, commit("more", OrderCompleted()))
    assert log.load(STREAM) == after


def test_a_reader_without_keys_reads_personal_fields_as_erased(store):
    """All other fields are readable without keys."""
    writer = store.open()
    writer.append(writer.load(STREAM), commit("place", placed()))
    reader = store.open(codec=Codec(InMemoryKeyRing(), EVENT_TYPES))
    assert reader.load(STREAM).events == (placed(contact=Erased(), payment_method=Erased()),)


def test_an_event_that_could_not_be_read_back_is_not_written(log):
    """A field with a value of the wrong type would make the stream unreadable."""
    wrong = PaymentAuthorizationRequested(amount="10.00", payment_method="pm_1")
    with pytest.raises(NotStorable):
        log.append(log.load(STREAM), commit("k", wrong))
    with pytest.raises(NotStorable, match="names no subject"):
        log.append(log.load(STREAM), commit("k", placed(), subject=None))
    assert log.load(STREAM).version == 0


# --- the whole log ----------------------------------------------------------------------------------------------------


def test_a_scan_returns_every_commit_with_each_stream_in_its_order(log):
    """A rebuild reads the whole log; a stream's commits come together and in order."""
    for name in ("order#b", "order#a", "order#c"):
        history = log.load(name)
        for n in range(3):
            history = log.append(history, commit(f"k{n}", CourierRequested(attempt=n), PreparationRequested()))
    scanned = [(stored.pk, stored.sk) for stored in log.scan()]
    assert sorted(scanned) == [(name, sk) for name in ("order#a", "order#b", "order#c") for sk in (1, 3, 5)]
    runs = [scanned[n : n + 3] for n in (0, 3, 6)]
    assert all(run == sorted(run) and len({pk for pk, _ in run}) == 1 for run in runs)


def test_a_scan_goes_on_behind_any_commit_of_an_earlier_one(log):
    """A long log is scanned in parts."""
    for name in ("order#b", "order#a", "order#c"):
        history = log.load(name)
        for n in range(2):
            history = log.append(history, commit(f"k{n}", CourierRequested(attempt=n)))
    whole = list(log.scan())
    assert [list(log.scan(after=(stored.pk, stored.sk))) for stored in whole] == [whole[n:] for n in range(1, 7)]


def test_shares_hold_every_stream_once_and_each_can_be_continued(log):
    """Processes that rebuild a view side by side see each stream in exactly one of them."""
    for number in range(8):
        history = log.load(f"order#{number}")
        for n in range(2):
            history = log.append(history, commit(f"k{n}", CourierRequested(attempt=n)))
    shares = log.shares(3)
    scanned = [list(log.scan(share=share)) for share in shares]
    assert 1 <= len(shares) <= 3
    assert sorted(each.pk for part in scanned for each in part) == sorted(2 * [f"order#{n}" for n in range(8)])
    for share, part in zip(shares, scanned, strict=True):
        if part:
            first = part[0].pk
            assert list(log.scan((first, 2**53), share)) == [each for each in part if each.pk != first]


def test_a_scanned_commit_is_decoded_on_request(log):
    """A rebuild of a view needs versions, times and events."""
    history = grown(log, 3)
    assert tuple(event for stored in log.scan() for event in log.events(stored)) == history.recorded
