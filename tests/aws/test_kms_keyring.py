"""Data keys wrapped by KMS: stored items, the cache and its lifetime, and the state after a fault."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError

from workflows.aws.keyring import CACHED_MAX, CACHED_S
from workflows.event_store.keyring import KeyRingUnavailable


class Seconds:
    def __init__(self) -> None:
        self.passed = 1_000_000.0

    def __call__(self) -> float:
        return self.passed


@pytest.fixture
def open_keyring(open_kms_keyring):
    """Open key rings on one table; each call opens one as a new process."""
    return open_kms_keyring("moto")


@pytest.fixture
def once(next_time):
    """``once(keyring, "before-call.kms.Decrypt", happens)``"""

    def at(keyring, event: str, happens):
        return next_time(keyring._kms if ".kms." in event else keyring._dynamodb, event, happens)

    return at


@pytest.fixture
def calls():
    """``calls(keyring)`` returns a list to which every later call of the key ring is added."""

    def recorded(keyring) -> list[str]:
        seen: list[str] = []
        for client in (keyring._kms, keyring._dynamodb):
            client.meta.events.register("before-call", lambda model, **_: seen.append(model.name))
        return seen

    return recorded


def timed_out(**_):
    raise ReadTimeoutError(endpoint_url="injected")


def unreachable(**_):
    raise EndpointConnectionError(endpoint_url="injected")


def items(keyring) -> list[dict]:
    return keyring._dynamodb.scan(TableName=keyring._table)["Items"]


# --- stored items -----------------------------------------------------------------------------------------------------


def test_the_table_holds_a_name_and_a_wrapped_key(open_keyring):
    """The key itself is in no item, and no item holds both its customer and its ciphertexts."""
    keyring = open_keyring()
    key = keyring.current("ada")
    stored = sorted(items(keyring), key=lambda item: item["pk"]["S"])
    assert stored[0] == {"pk": {"S": "customer#ada"}, "id": {"S": key.id}}
    assert stored[1].keys() == {"pk", "key"}
    assert stored[1]["pk"] == {"S": f"key#{key.id}"}
    assert not any(key.material in bytes(value.get("B", b"")) for item in stored for value in item.values())


def test_a_wrapped_key_is_bound_to_its_id(open_keyring):
    """Copied to another key's id it cannot be unwrapped: KMS checks the encryption context."""
    keyring = open_keyring()
    ada, bob = keyring.current("ada"), keyring.current("bob")
    wrapped = next(item for item in items(keyring) if item["pk"]["S"] == f"key#{bob.id}")
    keyring._dynamodb.put_item(TableName=keyring._table, Item={**wrapped, "pk": {"S": f"key#{ada.id}"}})
    with pytest.raises(ClientError, match="InvalidCiphertext"):
        open_keyring().find(ada.id)


def test_keys_are_shared_by_processes_and_deleted_by_an_erasure(open_keyring):
    """No item of the customer is left in the table."""
    first, second = open_keyring(), open_keyring()
    key = first.current("ada")
    assert second.current("ada") == second.find(key.id) == key
    assert first.destroy("ada", key.id)
    assert items(first) == []


# --- the cache --------------------------------------------------------------------------------------------------------


def test_a_key_destroyed_elsewhere_is_gone_everywhere_after_five_minutes(open_keyring):
    """Until then a process may still read with a cached key."""
    seconds = Seconds()
    here, there = open_keyring(now=seconds), open_keyring()
    key = here.current("ada")
    there.destroy("ada", key.id)
    seconds.passed += CACHED_S - 1
    assert here.find(key.id) == key
    seconds.passed += 1
    assert here.find(key.id) is None
    assert CACHED_S == 300


def test_a_key_that_was_destroyed_elsewhere_seals_no_new_event(open_keyring):
    """The address of a customer who orders again right after an erasure is readable: ``current`` reads the table."""
    here, there = open_keyring(), open_keyring()
    old = here.current("ada")
    there.destroy("ada", old.id)
    new = here.current("ada")
    assert new != old
    assert there.find(new.id) == new


def test_a_clock_that_goes_back_does_not_extend_the_cache(open_keyring):
    """A key cached at a future time is read again."""
    seconds = Seconds()
    here, there = open_keyring(now=seconds), open_keyring()
    key = here.current("ada")
    there.destroy("ada", key.id)
    seconds.passed -= 1
    assert here.find(key.id) is None


def test_a_cached_key_needs_no_call_to_kms(open_keyring, calls):
    """Opening again makes no call; sealing again reads one item."""
    keyring = open_keyring()
    made = calls(keyring)
    key = keyring.current("ada")
    assert made == ["GetItem", "GenerateDataKey", "PutItem", "PutItem"]
    made.clear()
    keyring.find(key.id)
    assert made == []
    keyring.current("ada")
    assert made == ["GetItem"]
    made.clear()
    other = open_keyring()
    other.current("ada")
    other.find(key.id)
    assert made == ["GetItem", "GetItem", "Decrypt"]


def test_the_cache_is_bounded(open_keyring, monkeypatch):
    """The oldest key is dropped first, and is read again when it is needed."""
    assert CACHED_MAX == 10_000
    monkeypatch.setattr("workflows.aws.keyring.CACHED_MAX", 2)
    keyring = open_keyring()
    keys = [keyring.current(name) for name in ("ada", "bob", "cy")]
    assert len(keyring._cache) == 2
    assert [keyring.find(key.id) for key in keys] == keys


def test_a_key_that_is_destroyed_while_it_is_read_is_not_cached(open_keyring, once):
    """Unwrapping takes time, in which another process may erase the customer."""
    keyring = open_keyring()
    key = keyring.current("ada")
    keyring._cache.clear()
    happened = once(keyring, "before-call.kms.Decrypt", lambda **_: keyring.destroy("ada", key.id) and None)
    keyring.find(key.id)
    assert happened
    assert keyring.find(key.id) is None


# --- faults -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("put", [1, 2])
@pytest.mark.parametrize("fault", ["repeated by botocore", "answer lost", "did not arrive"])
def test_a_fault_while_a_key_is_made_leaves_one_key(open_keyring, put: int, fault: str):
    """A second attempt gets the customer's key, and it can be found by its id."""
    keyring = open_keyring()
    seen: list[str] = []

    def strike(**_):
        seen.append("put")
        if len(seen) == put:
            return 0 if fault == "repeated by botocore" else timed_out() if fault == "answer lost" else unreachable()
        return None

    event = {
        "repeated by botocore": "needs-retry",
        "answer lost": "after-call",
        "did not arrive": "before-call",
    }[fault]
    keyring._dynamodb.meta.events.register_first(f"{event}.dynamodb.PutItem", strike)
    try:
        key = keyring.current("ada")
    except KeyRingUnavailable:
        key = keyring.current("ada")
    assert len(seen) >= put
    assert open_keyring().current("ada") == open_keyring().find(key.id) == key


def test_of_two_concurrent_first_uses_the_slower_takes_the_winners_key(open_keyring, once):
    """It deletes the key that it made itself."""
    slow, fast = open_keyring(), open_keyring()
    key = []
    once(slow, "before-call.kms.GenerateDataKey", lambda **_: key.append(fast.current("ada")))
    assert [slow.current("ada")] == key
    assert len(items(slow)) == 2


@pytest.mark.parametrize("event", ["before-call", "after-call"])
def test_an_unanswered_erasure_is_all_or_nothing_and_can_be_repeated(open_keyring, once, event: str):
    """Key and name are deleted together, so no event is sealed with a destroyed key. The next order gets a new key."""
    keyring = open_keyring()
    old = keyring.current("ada")
    once(keyring, f"{event}.dynamodb.TransactWriteItems", timed_out)
    with pytest.raises(KeyRingUnavailable):
        keyring.destroy("ada", old.id)
    assert (open_keyring().find(old.id) is None) == (event == "after-call")
    assert keyring.destroy("ada", old.id) == (event == "before-call")
    new = open_keyring().current("ada")
    assert new.id != old.id
    assert open_keyring().find(old.id) is None
    assert open_keyring().find(new.id) == new


@pytest.mark.parametrize("happens", [timed_out, unreachable])
@pytest.mark.parametrize("call", ["dynamodb.GetItem", "kms.GenerateDataKey", "kms.Decrypt"])
def test_a_timeout_is_unavailable(open_keyring, once, happens, call: str):
    """No event is written without a key, and no field reads as erased because KMS was slow."""
    key = open_keyring().current("bob")
    keyring = open_keyring()
    once(keyring, f"before-call.{call}", happens)
    with pytest.raises(KeyRingUnavailable):
        _ = keyring.find(key.id) if call == "kms.Decrypt" else keyring.current("ada")


def test_a_missing_permission_is_not_reported_as_unavailable(open_keyring, once):
    """A retry does not help."""
    keyring = open_keyring()
    keyring._key_arn = "arn:aws:kms:eu-central-1:123456789012:key/of-another-account"
    with pytest.raises(ClientError):
        keyring.current("ada")
