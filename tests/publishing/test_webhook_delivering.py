"""An event reaches every endpoint that receives its type, at least once, whatever fails in between."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from standardwebhooks import Webhook

from domain.identifiers import Actor, Role
from tests.publishing.webhook_receiver import DOWN, OK, Ports, answered, event
from workflows.event_store.commits import KeyReused
from workflows.event_store.documents import DocumentsUnavailable
from workflows.publishing.webhooks import deliveries, endpoints
from workflows.publishing.webhooks.deliveries import DeliveryState, WebhookDelivery
from workflows.publishing.webhooks.delivering import deliver, keep_delivering, send_again, send_test
from workflows.publishing.webhooks.endpoints import WebhookEndpoint
from workflows.publishing.webhooks.refusals import NoSuchEndpoint, TooManyEndpoints
from workflows.publishing.webhooks.sender import WebhookAnswer, WebhookPost
from workflows.publishing.webhooks.targets import Targets
from workflows.publishing.webhooks.views import delivery_view, endpoint_view

SHOP = Actor(Role.SERVICE, "shop")
OTHER = Actor(Role.SERVICE, "other")
SUPPORT = Actor(Role.SUPPORT, "sam")


def registered(ports: Ports, key: str = "key", types: tuple[str, ...] = (), owner: Actor = SHOP) -> WebhookEndpoint:
    url, now = f"https://{key}.example.com/hooks", ports.clock.now()
    made, _ = endpoints.register(
        ports.documents, owner, key, url=url, types=types, description="", enabled=True, now=now
    )
    return made


def deliver_events(ports: Ports, *numbers: int) -> None:
    deliver(ports, [event(number) for number in numbers], Targets.PUBLIC)


def round_of_the_schedule(ports: Ports) -> dict[str, int]:
    return keep_delivering(ports, Targets.PUBLIC, for_s=0)


def listed(ports: Ports, endpoint: WebhookEndpoint) -> list[WebhookDelivery]:
    return deliveries.list_deliveries(ports.documents, endpoint.id, limit=100, after=None)[0]


def stored(ports: Ports, endpoint: WebhookEndpoint) -> WebhookEndpoint:
    return endpoints.find(ports.documents, SHOP, endpoint.id)


@pytest.fixture
def ports() -> Ports:
    return Ports()


def test_an_event_is_sent_to_each_endpoint_that_receives_its_type(ports: Ports) -> None:
    """An endpoint without types receives all, also those that are added later."""
    registered(ports, "all")
    registered(ports, "placed", ("expediter.order.placed.v1",))
    registered(ports, "ended", ("expediter.order.completed.v1",))
    deliver_events(ports, 1)
    assert sorted(post.url for post in ports.webhooks.posts) == [
        "https://all.example.com/hooks",
        "https://placed.example.com/hooks",
    ]


def test_the_signature_is_over_the_body_that_is_sent(ports: Ports) -> None:
    """A receiver verifies it with any library of Standard Webhooks; the event's id is the id of the webhook."""
    endpoint = registered(ports)
    ports.clock.time = _now()
    deliver(ports, [event(1, at="2026-05-04T12:00:00Z")], Targets.PUBLIC)
    (post,) = ports.webhooks.posts
    assert Webhook(endpoint.secret).verify(post.body.encode(), dict(post.headers)) == event(
        1, at="2026-05-04T12:00:00Z"
    )
    assert post.headers["webhook-id"] == "ord_x/1"


def test_after_a_rotation_both_secrets_sign_for_a_day(ports: Ports) -> None:
    """Receivers change over in their own time; after that the old secret is worth nothing."""
    ports.clock.time = _now() - timedelta(hours=24)
    before = registered(ports)
    after = endpoints.change(ports.documents, before.id, lambda each: endpoints.rotated(each, ports.clock.now()))
    assert after.secret != before.secret
    assert endpoint_view(after, ports.clock.now())["previous_secret_until"] is not None
    assert after.signing_secrets(ports.clock.now()) == (after.secret, before.secret)
    again = endpoints.rotated(after, ports.clock.now())
    assert again.signing_secrets(ports.clock.now()) == (again.secret, before.secret)
    ports.clock.time = _now()
    assert after.signing_secrets(ports.clock.now() + timedelta(minutes=1)) == (after.secret,)
    signed = replace(after, previous_until=ports.clock.now() + timedelta(hours=1))
    endpoints.change(ports.documents, before.id, lambda _: signed)
    deliver_events(ports, 1)
    (post,) = ports.webhooks.posts
    for secret in (before.secret, after.secret):
        Webhook(secret).verify(post.body, dict(post.headers))


def test_an_event_that_is_queued_twice_is_sent_once(ports: Ports) -> None:
    """The queue delivers at least once; a delivery that succeeded is not attempted again."""
    registered(ports)
    deliver_events(ports, 1)
    deliver_events(ports, 1)
    assert ports.webhooks.ids == ["ord_x/1"]


def test_a_failed_delivery_is_attempted_again_with_growing_delays_for_three_days(ports: Ports) -> None:
    """Every attempt is recorded. After three days it is given up."""
    ports.webhooks.answer = lambda _: answered(500)
    endpoint = registered(ports)
    began = ports.clock.now()
    deliver_events(ports, 1)
    while (pending := listed(ports, endpoint)[0]).next_try is not None:
        ports.clock.time = max(ports.clock.now() + timedelta(minutes=1), pending.next_try)
        round_of_the_schedule(ports)
    (given_up,) = listed(ports, endpoint)
    assert given_up.state is DeliveryState.FAILED
    times = [attempt.at for attempt in given_up.attempts]
    assert 11 <= len(times) <= 15
    assert timedelta(days=2, hours=11) < times[-1] - began < timedelta(days=3, hours=1)
    gaps = [later - earlier for earlier, later in pairwise(times[4:9])]
    assert gaps == sorted(gaps)
    assert {attempt.http for attempt in given_up.attempts} == {500}


def test_an_endpoint_that_fails_for_three_days_is_paused_and_goes_on_when_it_is_enabled(ports: Ports) -> None:
    """It costs attempts for ever otherwise. Its owner sees since when and why."""
    ports.webhooks.answer = lambda _: DOWN
    endpoint = registered(ports)
    deliver_events(ports, 1)
    ports.clock.advance(days=2, hours=23)
    deliver(ports, [event(2)], Targets.PUBLIC)
    round_of_the_schedule(ports)
    assert stored(ports, endpoint).enabled
    ports.clock.advance(hours=2)
    round_of_the_schedule(ports)
    view = endpoint_view(stored(ports, endpoint), ports.clock.now())
    assert (view["status"], view["paused_because"]) == ("paused", "it failed for 3 days: no connection: refused")
    sent = len(ports.webhooks.posts)
    deliver_events(ports, 3)
    ports.clock.advance(minutes=10)
    round_of_the_schedule(ports)
    assert len(ports.webhooks.posts) == sent

    ports.webhooks.answer = lambda _: OK
    endpoints.change(ports.documents, endpoint.id, lambda each: endpoints.edited(each, enabled=True))
    round_of_the_schedule(ports)
    assert ports.webhooks.ids[sent:] == ["ord_x/2"]
    assert endpoint_view(stored(ports, endpoint), ports.clock.now())["status"] == "enabled"


def test_an_endpoint_that_answers_410_gone_is_paused_at_once(ports: Ports) -> None:
    """410 Gone means so in Standard Webhooks."""
    ports.webhooks.answer = lambda _: answered(410)
    endpoint = registered(ports)
    deliver_events(ports, 1)
    assert endpoint_view(stored(ports, endpoint), ports.clock.now())["paused_because"] == "it answered 410 Gone"


@pytest.mark.parametrize("answer", [answered(500), answered(301), DOWN, answered(200, took_ms=3000)])
def test_an_endpoint_that_fails_or_is_slow_is_left_to_the_schedule(ports: Ports, answer) -> None:
    """The next events wait for the attempts that are made at once; a redirect is a failure too."""
    ports.webhooks.answer = lambda _: answer
    endpoint = registered(ports)
    deliver_events(ports, 1)
    deliver_events(ports, 2)
    assert ports.webhooks.ids == ["ord_x/1"]
    ports.webhooks.answer = lambda _: OK
    ports.clock.advance(minutes=1)
    round_of_the_schedule(ports)
    assert "ord_x/2" in ports.webhooks.ids
    deliver_events(ports, 3)
    assert ports.webhooks.ids[-1] == "ord_x/3"
    assert {delivery.state for delivery in listed(ports, endpoint)} == {DeliveryState.DELIVERED}


def test_a_slow_endpoint_does_not_hold_up_the_backlog_of_the_others_in_a_round(ports: Ports) -> None:
    """A batch takes as long as its slowest answer, so after the first batch a slow endpoint waits for the others."""
    slow, quick = registered(ports, "slow"), registered(ports, "quick")
    ports.webhooks.answer = lambda _: DOWN
    deliver_events(ports, *range(60))
    ports.clock.advance(hours=1)
    post_all, batches = ports.webhooks.post_all, list[int]()

    def post_for_as_long_as_the_slowest(*, posts: list[WebhookPost], targets: Targets) -> list[WebhookAnswer]:
        answers = post_all(posts=posts, targets=targets)
        batches.append(max(answer.took_ms for answer in answers))
        ports.clock.advance(milliseconds=batches[-1])
        return answers

    ports.webhooks.post_all = post_for_as_long_as_the_slowest  # type: ignore[method-assign]  # time passes
    ports.webhooks.answer = lambda post: answered(500, took_ms=10_000) if "slow" in post.url else OK
    keep_delivering(ports, Targets.PUBLIC, for_s=25)
    assert {delivery.state for delivery in listed(ports, quick)} == {DeliveryState.DELIVERED}
    assert batches[0] == batches[-1] == 10_000  # its turn comes again once nothing is due of the others
    assert max(batches[1:-2]) < 1000
    assert sum(delivery.attempts != () for delivery in listed(ports, slow)) > 8


class Killed(BaseException):
    """The process was killed."""


@pytest.mark.parametrize("write", range(8))
def test_a_crash_between_any_two_writes_loses_no_delivery(ports: Ports, write: int) -> None:
    """A message is acknowledged only after its deliveries are stored; a claim whose process was killed runs out."""
    endpoint = registered(ports)
    whole, dying = ports.documents, KilledAtWrite(ports.documents, write)
    ports.documents, acknowledged = dying, False
    with suppress(Killed):
        deliver_events(ports, 1)
        acknowledged = True
        round_of_the_schedule(ports)
    ports.documents = whole
    if not acknowledged:
        deliver_events(ports, 1)
    ports.clock.advance(minutes=2)
    round_of_the_schedule(ports)
    assert set(ports.webhooks.ids) == {"ord_x/1"}
    assert [delivery.state for delivery in listed(ports, endpoint)] == [DeliveryState.DELIVERED]
    assert whole.list(f"webhooks-due#{endpoint.id}") == []


class KilledAtWrite:
    """Documents whose process dies instead of making the write with this number."""

    def __init__(self, documents, number: int) -> None:
        self._documents = documents
        self._left = number

    def __getattr__(self, name: str):
        call = getattr(self._documents, name)
        if name not in {"put", "delete"}:
            return call

        def write(*args, **kwargs):
            if self._left == 0:
                raise Killed
            self._left -= 1
            return call(*args, **kwargs)

        return write


def test_two_processes_do_not_attempt_one_delivery_together(ports: Ports) -> None:
    """The schedule and the queue run at the same time: each claims a delivery before it sends."""
    endpoint = registered(ports)
    pending = deliveries.record(ports.documents, endpoint.id, event(1), ports.clock.now())
    assert deliveries.claim(ports.documents, pending, ports.clock.now()) is not None
    assert deliveries.claim(ports.documents, pending, ports.clock.now()) is None
    round_of_the_schedule(ports)
    assert ports.webhooks.posts == []


def test_a_test_is_sent_once_and_shows_its_outcome(ports: Ports) -> None:
    """It answers whether the receiver works, so it is not attempted again."""
    ports.webhooks.answer = lambda _: answered(403)
    view = delivery_view(send_test(ports, registered(ports), Targets.PUBLIC))
    assert (view["type"], view["status"], view["next_try"]) == ("expediter.webhook.test.v1", "failed", None)
    assert [attempt["http"] for attempt in view["attempts"]] == [403]


def test_a_resend_sends_what_was_delivered_or_given_up(ports: Ports) -> None:
    """The receiver gets the same event under the same id, and the attempts before stay readable."""
    endpoint = registered(ports)
    deliver_events(ports, 1)
    (delivered,) = listed(ports, endpoint)
    stored_delivery = deliveries.load_delivery(ports.documents, endpoint.id, delivered.key)
    assert stored_delivery is not None
    after = send_again(ports, endpoint, stored_delivery, Targets.PUBLIC)
    assert ports.webhooks.ids == ["ord_x/1", "ord_x/1"]
    assert (after.state, len(after.attempts)) == (DeliveryState.DELIVERED, 2)


def test_deliveries_are_listed_newest_first_and_deleted_after_four_days(ports: Ports) -> None:
    """Deliveries are kept for a limited time. An event that was published late has its three days all the same."""
    endpoint = registered(ports)
    first, second = event(1, at="2026-05-04T11:00:00Z"), event(2, at="2026-05-04T11:00:01Z")
    deliver(ports, [first, second], Targets.PUBLIC)
    assert [delivery.event["id"] for delivery in listed(ports, endpoint)] == ["ord_x/2", "ord_x/1"]
    ports.clock.advance(days=5)
    ports.webhooks.answer = lambda _: DOWN
    deliver(ports, [event(3, at="2026-05-04T11:00:02Z")], Targets.PUBLIC)
    assert round_of_the_schedule(ports)["deleted"] == 2
    assert [delivery.event["id"] for delivery in listed(ports, endpoint)] == ["ord_x/3"]


def test_deliveries_in_a_state_are_found_in_pages_that_look_at_a_bounded_number(
    ports: Ports, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An endpoint may have a million deliveries of which one failed."""
    monkeypatch.setattr(deliveries, "READ_AT_ONCE", 2)
    monkeypatch.setattr(deliveries, "LOOKED_AT_MAX", 4)
    endpoint = registered(ports)
    for number in range(1, 13):
        deliver(ports, [event(number, at=f"2026-05-04T11:00:{number:02}Z")], Targets.PUBLIC)
    for number in (2, 3):
        failed = listed(ports, endpoint)[-number]
        found = deliveries.load_delivery(ports.documents, endpoint.id, failed.key)
        assert found is not None
        ports.webhooks.answer = lambda _: DOWN
        send_again(ports, endpoint, found, Targets.PUBLIC)

    def page(after: str | None, limit: int = 5) -> tuple[list[str], str | None]:
        found, following = deliveries.list_deliveries(
            ports.documents, endpoint.id, limit=limit, after=after, state=DeliveryState.PENDING
        )
        return [delivery.event["id"] for delivery in found], following

    first, after = page(None)
    second, after = page(after)
    one, behind_one = page(after, 1)
    assert (first, second, one) == ([], [], ["ord_x/3"])
    assert page(behind_one) == (["ord_x/2"], None)
    assert page(after)[0] == ["ord_x/3", "ord_x/2"]


def test_a_removed_endpoint_is_gone_at_once_and_its_deliveries_soon(ports: Ports) -> None:
    """Nothing of it stays behind."""
    ports.webhooks.answer = lambda _: DOWN
    endpoint = registered(ports)
    deliver_events(ports, 1)
    endpoints.change(ports.documents, endpoint.id, endpoints.marked_removed)
    with pytest.raises(NoSuchEndpoint):
        endpoints.find(ports.documents, SHOP, endpoint.id)
    for _ in range(2):
        ports.clock.advance(minutes=5)
        round_of_the_schedule(ports)
    assert listed(ports, endpoint) == []
    assert endpoints.stored_endpoints(ports.documents) == []
    assert len(ports.webhooks.posts) == 1


def test_a_service_sees_its_own_endpoints_and_support_all(ports: Ports) -> None:
    """The endpoint of another service does not exist for it."""
    endpoint = registered(ports)
    assert [each.id for each in endpoints.visible(ports.documents, SUPPORT)] == [endpoint.id]
    assert endpoints.visible(ports.documents, OTHER) == []
    with pytest.raises(NoSuchEndpoint):
        endpoints.find(ports.documents, OTHER, endpoint.id)


def test_a_registration_sent_twice_is_one_endpoint(ports: Ports) -> None:
    """The key names the request: another endpoint needs another key."""
    first = registered(ports)
    again, replayed = _register(ports, first.url)
    assert (again, replayed) == (first, True)
    with pytest.raises(KeyReused):
        _register(ports, "https://elsewhere.example.com/")


def test_there_are_at_most_a_hundred_endpoints(ports: Ports) -> None:
    """Every event is compared with all of them."""
    for number in range(endpoints.ENDPOINTS_MAX):
        registered(ports, f"key-{number}")
    with pytest.raises(TooManyEndpoints):
        registered(ports, "one more")


def test_no_secret_is_shown_by_a_view_or_a_representation(ports: Ports) -> None:
    """Log lines and errors may hold a representation."""
    endpoint = endpoints.rotated(registered(ports), ports.clock.now())
    assert endpoint.secret not in repr(endpoint)
    assert endpoint.previous_secret not in repr(endpoint)
    assert "whsec_" not in str(endpoint_view(endpoint, ports.clock.now()))


def test_events_stay_in_the_queue_while_the_store_does_not_answer(ports: Ports) -> None:
    """They are delivered again then."""
    registered(ports)
    ports.documents = KilledAtWrite(ports.documents, 0)
    ports.documents.__dict__["put"] = _unavailable
    with pytest.raises(DocumentsUnavailable):
        deliver_events(ports, 1)


def _unavailable(*_: object) -> None:
    raise DocumentsUnavailable("busy")


def _register(ports: Ports, url: str) -> tuple[WebhookEndpoint, bool]:
    now = ports.clock.now()
    return endpoints.register(ports.documents, SHOP, "key", url=url, types=(), description="", enabled=True, now=now)


def _now() -> datetime:
    return datetime.now(UTC)
