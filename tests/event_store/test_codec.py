"""The stored form of events: it round-trips, personal fields are sealed, old and unknown schemas can be read."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.identifiers import SYSTEM
from domain.money import Money
from domain.order.events import CreditGranted, Fault, OrderCompleted, OrderParked, PaymentAuthorized, PreparationReady
from domain.personal import Contact, Erased
from workflows.engine import EVENT_TYPES
from workflows.event_store.codec import Codec, Undecodable
from workflows.event_store.commits import Commit, History, NewCommit, Opaque, UnknownEvent
from workflows.event_store.event_types import EventTypes, NotStorable
from workflows.event_store.keyring import DataKey, KeysWithheld, NoKeys
from workflows.event_store.personal_fields import Vault
from workflows.event_store.upcasters import UpcastersIncomplete
from workflows.in_memory.keyring import InMemoryKeyRing

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
STREAM = "order#1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Greeted:
    """A toy event in its third schema: 1 had ``who``; 2 renamed it to ``name``; 3 added ``loudness``."""

    SCHEMA: ClassVar[int] = 3

    name: str | Erased
    loudness: int
    note: str | Erased | None = "nothing"
    times: int = 1
    tags: tuple[str, ...] = ()


TOYS = EventTypes(
    {"order": [Greeted]},
    {
        ("order", "Greeted", 1): lambda data: {"name": data["who"]},
        ("order", "Greeted", 2): lambda data: {**data, "loudness": 5},
    },
)


def new(*events, subject: str | None = "ada") -> NewCommit:
    return NewCommit(
        key="k", events=events, actor=SYSTEM, correlation="c", causation="d", body_hash="b", subject=subject
    )


def stored(text: str) -> Commit:
    return Commit(STREAM, 1, "k", "2026-05-04T12:00:00.000000Z", b"", text)


def envelope(name: str, schema: int, data: object) -> Commit:
    meta = {"actor": {"role": "system", "id": "x"}, "correlation": "", "causation": "", "body": ""}
    return stored(json.dumps({"m": meta, "e": [{"t": name, "v": schema, "d": data}]}))


def round_trip(codec: Codec, *events):
    return tuple(recorded.event for recorded in codec.decode(stored(codec.encode(STREAM, new(*events)))))


# --- JSON -------------------------------------------------------------------------------------------------------------


def test_the_stored_text_has_the_documented_shape():
    """Auditors and other programs read it too."""
    text = Codec(InMemoryKeyRing(), EVENT_TYPES).encode(
        STREAM, new(OrderCompleted(), PreparationReady(answers=2, at=NOON))
    )
    assert json.loads(text) == {
        "m": {"actor": {"role": "system", "id": "expediter"}, "correlation": "c", "causation": "d", "body": "b"},
        "e": [
            {"t": "OrderCompleted", "v": 1, "d": {}},
            {"t": "PreparationReady", "v": 1, "d": {"answers": 2, "at": "2026-05-04T12:00:00Z"}},
        ],
    }


@given(
    minor=st.integers(-(2**63), 2**63 - 1),
    text=st.text(),
    at=st.datetimes(timezones=st.just(UTC)),
)
def test_stored_events_read_back_unchanged(minor: int, text: str, at: datetime):
    """Amounts, texts of any script and times to the microsecond survive storage; other values are refused."""
    events = (
        PaymentAuthorized(answers=1, authorization_id=text, amount=Money(minor, "EUR"), at=at),
        CreditGranted(credit_id="c", amount=Money(minor, "JPY"), fault=Fault.COURIER, by=SYSTEM, reason=text),
    )
    assert round_trip(Codec(InMemoryKeyRing(), EVENT_TYPES), *events) == events


def test_a_time_that_is_not_utc_is_not_stored():
    """Naive times and times of another zone are refused, because the log holds UTC only."""
    for at in (NOON.replace(tzinfo=None), NOON.astimezone(timezone(timedelta(hours=2)))):
        with pytest.raises(NotStorable, match="not in UTC"):
            round_trip(Codec(InMemoryKeyRing(), EVENT_TYPES), PreparationReady(answers=1, at=at))


def test_a_text_that_is_not_unicode_is_not_stored():
    """A lone surrogate cannot be written as UTF-8."""
    with pytest.raises(NotStorable):
        round_trip(Codec(InMemoryKeyRing(), EVENT_TYPES), OrderParked(run=1, error="\ud800", detail=""))


def test_only_events_are_stored():
    """Only classes of the domain's event unions may be written."""
    with pytest.raises(NotStorable, match="Money is not an event type"):
        round_trip(Codec(InMemoryKeyRing(), EVENT_TYPES), Money(1, "EUR"))


@pytest.mark.parametrize(
    "commit",
    [
        stored("not json"),
        stored('{"m":{"actor":{"role":"system","id":"x"},"correlation":"","causation":"","body":""},"e":[]}'),
        envelope("PreparationReady", 1, {"answers": "two", "at": "2026-05-04T12:00:00Z"}),
        envelope("PreparationReady", 1, {}),
        envelope("OrderPlaced", 1, {"contact": 3}),
    ],
    ids=["not json", "no events", "wrong type", "field missing", "wrong personal event"],
)
def test_a_known_event_that_does_not_read_names_its_stream_and_version(commit: Commit):
    """It is reported as damage, not as an unknown event."""
    with pytest.raises(Undecodable, match="order#1 version 1"):
        Codec(InMemoryKeyRing(), EVENT_TYPES).decode(commit)


# --- personal fields --------------------------------------------------------------------------------------------------


def test_a_personal_field_reads_as_erased_once_its_key_is_gone():
    """Only the personal field of the event is erased; the other fields stay."""
    keyring = InMemoryKeyRing()
    codec = Codec(keyring, TOYS)
    event = Greeted(name="Ada", loudness=3, note=None)
    commit = stored(codec.encode(STREAM, new(event)))
    assert codec.decode(commit)[0].event == event
    keyring.destroy("ada", keyring.key_id_of("ada"))
    assert codec.decode(commit)[0].event == Greeted(name=Erased(), loudness=3, note=Erased())


def test_a_customer_may_be_erased_while_an_event_about_them_is_written():
    """The event is written with the key that was just destroyed, and reads as erased from the start."""

    class ErasedMeanwhile(InMemoryKeyRing):
        def current(self, customer: str) -> DataKey:
            key = super().current(customer)
            self.destroy(customer, self.key_id_of(customer))
            return key

    codec = Codec(ErasedMeanwhile(), TOYS)
    assert round_trip(codec, Greeted(name="Ada", loudness=3)) == (Greeted(name=Erased(), loudness=3, note=Erased()),)


def test_an_empty_text_is_stored_as_it_is_and_takes_no_key():
    """An empty text is not personal: it is stored without a key, and is still empty after an erasure."""
    codec = Codec(NoKeys(), TOYS)
    event = Greeted(name="", loudness=3, note=Erased())
    text = codec.encode(STREAM, new(event))
    assert json.loads(text)["e"][0]["d"]["name"] == ""
    assert codec.decode(stored(text))[0].event == event
    with pytest.raises(KeysWithheld):
        codec.encode(STREAM, new(Greeted(name="Ada", loudness=3)))


def test_an_empty_text_that_was_sealed_still_reads():
    """Earlier versions sealed empty texts."""
    keyring = InMemoryKeyRing()
    key = keyring.current("ada")
    sealed = Vault(keyring.find, (STREAM, "Greeted")).seal("name", b'""', key)
    commit = envelope("Greeted", 3, {"name": sealed, "loudness": 3})
    assert Codec(keyring, TOYS).decode(commit)[0].event == Greeted(name="", loudness=3)
    keyring.destroy("ada", keyring.key_id_of("ada"))
    assert Codec(keyring, TOYS).decode(commit)[0].event == Greeted(name=Erased(), loudness=3)


def test_a_refusal_to_store_contains_no_personal_data():
    """Errors are logged, so they must not quote a personal field."""
    with pytest.raises(NotStorable) as refusal:
        round_trip(Codec(InMemoryKeyRing(), TOYS), Greeted(name="Ada", loudness=[1]))
    assert "Ada" not in str(refusal.value)
    with pytest.raises(NotStorable, match="would be read back with another tags") as refusal:
        round_trip(Codec(InMemoryKeyRing(), TOYS), Greeted(name="Ada", loudness=1, tags=["a list"]))
    assert "Ada" not in str(refusal.value)


def test_an_erased_field_can_be_written_again_without_a_subject():
    """A later event may repeat a field of an earlier one, erased or not."""
    codec = Codec(InMemoryKeyRing(), TOYS)
    event = Greeted(name=Erased(), loudness=3, note=Erased())
    text = codec.encode(STREAM, new(event, subject=None))
    assert codec.decode(stored(text))[0].event == event


def test_the_same_name_is_stored_differently_each_time():
    """The nonce is random, so equal names have different ciphertexts."""
    codec = Codec(InMemoryKeyRing(), TOYS)
    texts = {codec.encode(STREAM, new(Greeted(name="Ada", loudness=3))) for _ in range(10)}
    assert len(texts) == 10


@pytest.mark.parametrize("place", ["stream", "field", "customer"])
def test_a_sealed_field_cannot_be_moved_elsewhere(place: str):
    """The ciphertext is bound to stream, event type and field, and to its own key."""
    codec = Codec(InMemoryKeyRing(), TOYS)
    text = codec.encode(STREAM, new(Greeted(name="Ada", loudness=3, note="shh")))
    other = json.loads(codec.encode(STREAM, new(Greeted(name="Bob", loudness=3), subject="bob")))
    document = json.loads(text)
    data = document["e"][0]["d"]
    stream = STREAM
    if place == "stream":
        stream = "order#2"
    elif place == "field":
        data["name"], data["note"] = data["note"], data["name"]
    else:
        data["name"]["key"] = other["e"][0]["d"]["name"]["key"]
    moved = Commit(stream, 1, "k", "2026-05-04T12:00:00.000000Z", b"", json.dumps(document))
    with pytest.raises(Undecodable, match="written for another place"):
        codec.decode(moved)


def test_the_domain_declares_its_personal_fields():
    """Contact, payment method and free text of people; a field that is added or left out must be changed here too."""
    assert {(kind.name, field) for kind in EVENT_TYPES.by_class.values() for field in kind.personal} == {
        ("OrderPlaced", "contact"),
        ("OrderPlaced", "kitchen_note"),
        ("OrderPlaced", "payment_method"),
        ("PaymentAuthorizationRequested", "payment_method"),
        ("PaymentLookupRequested", "reason"),
        ("PreparationRejected", "reason"),
        ("CourierDeclined", "reason"),
        ("DeliveryFailed", "reason"),
        ("CancellationRequested", "reason"),
        ("CreditGranted", "reason"),
        ("WrittenOff", "reason"),
        ("OrderAbandoned", "reason"),
        ("ApprovalRequested", "reason"),
        ("ApprovalGiven", "reason"),
        ("ApprovalRejected", "reason"),
        ("IncidentAssigned", "reason"),
        ("ReportedOnBehalf", "said_by"),
        ("ReportedOnBehalf", "reason"),
        ("NoteAdded", "text"),
    }


def test_a_personal_field_hidden_inside_another_type_is_refused():
    """It would be stored unencrypted."""

    @dataclass(frozen=True)
    class Inner:
        name: str | Erased

    @dataclass(frozen=True)
    class Outer:
        inner: tuple[Inner, ...]

    Outer.__annotations__["inner"] = tuple[Inner, ...]  # local classes cannot be found by name
    Inner.__annotations__["name"] = str | Erased
    with pytest.raises(TypeError, match=r"Outer\.inner contains a personal field"):
        Codec(InMemoryKeyRing(), EventTypes({"order": [Outer]}, {})).encode(STREAM, new(Outer(inner=())))


def test_no_key_shows_in_a_repr():
    """Logs and tracebacks print values."""
    key = InMemoryKeyRing().current("ada")
    assert key.material.hex() not in repr(key)
    assert repr(key.material) not in repr(key)
    assert repr(key) == f"DataKey(id='{key.id}')"


# --- old and unknown schemas ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("schema", "data"),
    [
        (1, {"who": "Ada"}),
        (2, {"name": "Ada"}),
        (3, {"name": "Ada", "loudness": 5}),
        (3, {"name": "Ada", "loudness": 5, "times": 1, "note": "nothing", "from_the_future": True}),
    ],
)
def test_every_schema_reads_as_the_current_one(schema: int, data: dict):
    """Old data is upcast schema by schema; added fields get their defaults, unknown ones are skipped."""
    (recorded,) = Codec(InMemoryKeyRing(), TOYS).decode(envelope("Greeted", schema, data))
    assert recorded.event == Greeted(name="Ada", loudness=5)


def test_a_personal_field_of_an_old_schema_is_opened_before_it_is_upcast():
    """An upcaster may rename the field; once the key is destroyed the renamed field is ``Erased()``."""
    first = EventTypes({"order": [_greeted_as_it_was()]}, {})
    keyring = InMemoryKeyRing()
    text = Codec(keyring, first).encode(STREAM, new(*(cls(who="Ada") for cls in first.by_class)))
    assert "Ada" not in text
    assert Codec(keyring, TOYS).decode(stored(text))[0].event == Greeted(name="Ada", loudness=5)
    keyring.destroy("ada", keyring.key_id_of("ada"))
    assert Codec(keyring, TOYS).decode(stored(text))[0].event == Greeted(name=Erased(), loudness=5)


def _greeted_as_it_was() -> type:
    @dataclass(frozen=True, slots=True, kw_only=True)
    class Greeted:
        who: str | Erased

    return Greeted


@pytest.mark.parametrize(
    ("upcasters", "complaint"),
    [
        ({}, "no upcaster reads order/Greeted schema 1, order/Greeted schema 2"),
        ({("order", "Greeted", 2): dict}, "no upcaster reads order/Greeted schema 1"),
        (
            {("order", "Greeted", schema): dict for schema in (1, 2, 3)},
            "reads order/Greeted schema 3, which is current",
        ),
        (
            {("order", name, schema): dict for name, schema in (("Greeted", 1), ("Greeted", 2), ("Gone", 1))},
            "reads order/Gone schema 1",
        ),
    ],
)
def test_a_gap_in_the_upcasters_is_found_when_the_code_is_loaded(upcasters: dict, complaint: str):
    """An incomplete chain of upcasters must stop the start, not the first old order."""
    with pytest.raises(UpcastersIncomplete, match=complaint):
        EventTypes({"order": [Greeted]}, upcasters)


@pytest.mark.parametrize(("name", "schema"), [("NeverHeardOf", 1), ("PreparationReady", 2), ("PreparationReady", 0)])
def test_an_unknown_event_is_shown_to_the_auditor_and_stops_a_decision(name: str, schema: int):
    """Newer code wrote it; a decision of this code without its meaning could be wrong."""
    recorded = Codec(InMemoryKeyRing(), EVENT_TYPES).decode(envelope(name, schema, {"a": 1}))
    history = History(stream=STREAM, recorded=recorded)
    assert recorded[0].event == Opaque(name, schema, {"a": 1})
    with pytest.raises(UnknownEvent, match=f"order#1 version 1 is {name} schema {schema}"):
        _ = history.events


def test_event_types_of_one_category_share_no_name():
    """A stored event is matched to its class by category and name."""
    namesake = dataclass(frozen=True)(type("Contact", (), {}))
    with pytest.raises(TypeError, match="same name"):
        EventTypes({"order": [Contact, namesake]}, {})
    with pytest.raises(TypeError, match="two categories"):
        EventTypes({"order": [Contact], "restaurant": [Contact]}, {})


def test_two_categories_may_use_one_name_for_different_events():
    """An item of a menu and an item of an order can both become unavailable; each stream reads its own event."""

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Shut:
        until: int

    types = EventTypes({"order": [Greeted], "restaurant": [Shut]}, TOYS.upcasters)
    of_menu = EventTypes({"restaurant": [_shut := dataclass(frozen=True)(type("Greeted", (), {}))]}, {})
    assert types.by_name["restaurant", "Shut"].cls is Shut
    assert of_menu.by_name["restaurant", "Greeted"].cls is _shut


def test_an_event_is_stored_in_a_stream_of_its_category_alone():
    """It could not be read back from a stream of another category."""
    with pytest.raises(NotStorable, match="an event of order streams"):
        Codec(InMemoryKeyRing(), TOYS).encode("breaker#payments#2026-05-04", new(Greeted(name="", loudness=1)))
