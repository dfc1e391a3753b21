"""The watchdog: every stuck order is moved or parked, and no healthy order is disturbed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings

from domain.identifiers import SYSTEM, Actor, OrderId, Role, order_id_for
from domain.order.commands import Awaited, ParkOrder, StartRun
from domain.order.events import OrderParked, RunStarted
from domain.order.order import RunState
from domain.order.questions import awaited_intent
from tests.domain.order import stories as s
from tests.domain.order.world import played, plays
from tests.recorded import Shop
from workflows.breakers.dependencies import Dependency
from workflows.clock import timestamp
from workflows.event_store.commits import ChainBroken
from workflows.event_store.event_log import StreamUnavailable
from workflows.executions import ExecutionsUnavailable
from workflows.projections.open_orders import open_order, open_orders, refresh
from workflows.sagas import circuit_waits
from workflows.sagas.circuit_waits import CircuitWait
from workflows.sagas.waits import AnswerWait, register
from workflows.settings import read
from workflows.time_budgets import CIRCUIT_WAIT, Awaiting, read_budgets
from workflows.upkeep.on_tick import OPEN_LONG, TICK_EVERY_S, keep_time
from workflows.upkeep.settings import UpkeepSettings
from workflows.upkeep.watchdog import (
    CHECK_EVERY,
    CHECK_FOR,
    PARKED_AS,
    ROUND,
    RUNS_MAX,
    WatchdogRound,
    check_rows,
    watch,
)

BUDGETS = read({}, read_budgets)
UPKEEP = UpkeepSettings(order_machine="OrderMachine", budgets=BUDGETS)
ORDER_ID = s.ORDER_ID
OTHER = order_id_for("app", "another order")
often = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def shop_with(*story: s.StoryLine) -> Shop:
    """Open a shop with one order in the view, whose execution does not run any more."""
    shop = Shop()
    shop.play(*story)
    refresh(shop.engine, ORDER_ID, BUDGETS)
    return shop


def look(shop: Shop) -> WatchdogRound:
    return watch(shop.engine, UPKEEP)


def follow(shop: Shop) -> None:
    """Refresh the order's row, as the feed does after a commit."""
    refresh(shop.engine, ORDER_ID, BUDGETS)


def pass_budget(shop: Shop) -> None:
    row = open_order(shop.documents, ORDER_ID)
    assert row is not None
    shop.clock.at = min(wait.since + timedelta(seconds=wait.budget_s, milliseconds=1) for wait in row.awaits)


def wait_for(shop: Shop, awaited: Awaited, token: str = "token") -> None:
    order = shop.order()
    version = awaited_intent(order, awaited)
    assert version is not None
    shop.executions.waiting.add(token)
    register(
        shop.documents,
        AnswerWait(order_id=ORDER_ID, run=order.run, action="", awaited=awaited, intent_version=version, token=token),
    )


# --- orders that need nothing -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("story", [s.PLACED, s.AUTHORIZED, s.ACCEPTED, s.PICKED_UP, s.DELIVERED])
def test_an_order_within_its_budget_is_left_alone(story):
    """Up to the last millisecond of its budget."""
    shop = shop_with(*story)
    pass_budget(shop)
    shop.clock.advance(milliseconds=-1)
    before = shop.order()
    assert look(shop) == WatchdogRound()
    assert (shop.order(), shop.executions.started) == (before, [])


def test_a_parked_order_is_never_touched():
    """It is listed as an incident, and only a person decides about it."""
    shop = shop_with(*s.AUTHORIZED, s.park())
    shop.clock.advance(days=30)
    before = shop.order()
    assert look(shop) == WatchdogRound()
    assert shop.order() == before


def test_an_order_that_moved_since_its_row_was_written_is_left_alone():
    """The view may lag, so the log is read before the watchdog acts."""
    shop = shop_with(*s.PLACED)
    pass_budget(shop)
    shop.play(s.authorized())
    done = look(shop)
    assert (done.overdue, done.notified, done.restarted) == (1, [], [])
    row = open_order(shop.documents, ORDER_ID)
    assert row is not None
    assert row.version == shop.order().version


def test_the_row_of_an_order_that_has_ended_is_removed():
    shop = shop_with(*s.PLACED)
    pass_budget(shop)
    shop.play(s.declined())
    look(shop)
    assert list(open_orders(shop.documents)) == []


# --- notifying --------------------------------------------------------------------------------------------------------


def test_an_overdue_order_first_has_its_run_started_by_name():
    """This repairs a start whose message was lost; an execution that exists already is not started twice."""
    shop = shop_with(*s.PLACED)
    pass_budget(shop)
    assert look(shop).notified == [ORDER_ID]
    assert shop.executions.started == [f"{ORDER_ID}-1"]
    assert shop.order().run == 1


def test_a_wait_whose_answer_is_in_the_log_is_woken_before_a_new_run_is_started():
    """If the message of the restaurant's answer was lost, waking the wait is enough, and it gets a round to go on."""
    shop = shop_with(*s.AUTHORIZED)
    wait_for(shop, Awaited.ACCEPTANCE)
    shop.play(s.accepted(), s.assigned())
    wait_for(shop, Awaited.READINESS, "another")
    follow(shop)
    shop.clock.advance(days=1)
    done = look(shop)
    assert (done.notified, done.restarted) == ([ORDER_ID], [])
    assert shop.executions.woken == [("token", "accepted")]
    assert look(shop).restarted == [ORDER_ID]


# --- a new run, then a person -----------------------------------------------------------------------------------------


def test_an_order_that_a_notification_does_not_move_gets_a_new_run_a_round_later():
    shop = shop_with(*s.AUTHORIZED)
    pass_budget(shop)
    look(shop)
    shop.clock.at += ROUND
    done = look(shop)
    assert done.restarted == [ORDER_ID]
    event = shop.log.load(f"order#{ORDER_ID}").events[-1]
    assert isinstance(event, RunStarted)
    assert (event.run, event.by) == (2, SYSTEM)
    assert "acceptance" in event.reason


def test_the_new_run_has_the_whole_budget():
    """Its waits begin with the run."""
    shop = shop_with(*s.AUTHORIZED)
    shop.clock.advance(days=1)
    look(shop)
    follow(shop)
    assert look(shop) == WatchdogRound()
    pass_budget(shop)
    assert look(shop).overdue == 1


def test_an_order_that_new_runs_do_not_move_is_parked():
    """After ``RUNS_MAX`` runs, with an error name of its own, so that an incident shows the cause."""
    shop = shop_with(*s.AUTHORIZED)
    for run in range(2, RUNS_MAX + 2):
        shop.clock.advance(days=1)
        assert look(shop).restarted == [ORDER_ID]
        assert shop.order().run == run
        follow(shop)
    shop.clock.advance(days=1)
    assert look(shop).parked == [ORDER_ID]
    event = shop.log.load(f"order#{ORDER_ID}").events[-1]
    assert isinstance(event, OrderParked)
    assert event.error == PARKED_AS
    follow(shop)
    assert look(shop) == WatchdogRound()


def test_a_run_started_by_a_person_resets_the_runs_of_the_watchdog():
    """The person may have fixed the cause."""
    shop = shop_with(*s.AUTHORIZED)
    for _ in range(RUNS_MAX + 1):
        shop.clock.advance(days=1)
        look(shop)
        follow(shop)
    shop.play(s.restart())
    follow(shop)
    shop.clock.advance(days=1)
    assert look(shop).restarted == [ORDER_ID]


def test_an_order_whose_compensation_is_stuck_is_parked_while_cancelling():
    """A cancelled order may be parked too: its compensation is the part that is stuck."""
    shop = shop_with(*s.AUTHORIZED, s.cancel())
    for _ in range(RUNS_MAX + 1):
        shop.clock.advance(days=1)
        look(shop)
        follow(shop)
    assert shop.order().run_state is RunState.PARKED


@pytest.mark.parametrize("command", [StartRun, ParkOrder])
def test_an_order_that_moves_at_the_last_moment_is_left_alone(command):
    """The decision is made on the version that was read, so it is dropped when another commit came in between."""
    shop = shop_with(*s.AUTHORIZED)
    for _ in range(RUNS_MAX if command is ParkOrder else 0):
        shop.clock.advance(days=1)
        look(shop)
        follow(shop)
    shop.clock.advance(days=1)
    runs, answered = shop.order().run, []

    def answer_meanwhile(machine, name, input):  # noqa: A002 - the API's own word
        if not answered:
            answered.append(shop.play(s.accepted()))

    shop.executions.start = answer_meanwhile
    done = look(shop)
    assert (done.restarted, done.parked) == ([], [])
    assert (shop.order().run, shop.order().run_state) == (runs, RunState.RUNNING)


def test_a_failure_with_one_order_does_not_stop_the_others():
    shop = shop_with(*s.PLACED)
    shop.play(replace(s.place(), order_id=OTHER), order_id=OTHER)
    refresh(shop.engine, OTHER, BUDGETS)
    shop.clock.advance(days=1)

    def start(machine, name, input):  # noqa: A002 - the API's own word
        if name.startswith(ORDER_ID):
            raise ExecutionsUnavailable("no answer")

    shop.executions.start = start
    done = look(shop)
    assert (done.failed, done.restarted) == ([ORDER_ID], [OTHER])


@often
@given(play=plays())
def test_every_order_is_ended_or_parked_after_enough_rounds(play):
    """Even if no execution runs, no message arrives and no person acts. Ended and parked orders are not changed."""
    shop = Shop()
    for sent in played(play).sent:
        if sent.events:
            shop.record(sent.command)
    follow(shop)
    before = shop.order()
    for _ in range(RUNS_MAX + 1):
        shop.clock.advance(days=1)
        look(shop)
        follow(shop)
    after = shop.order()
    assert after.run_state is not RunState.RUNNING
    assert before.run_state is RunState.RUNNING or after == before
    assert after.run <= before.run + RUNS_MAX


# --- circuits ---------------------------------------------------------------------------------------------------------


def at_circuit(shop: Shop, order_id: OrderId = ORDER_ID) -> None:
    shop.executions.waiting.add("circuit")
    breaker = shop.engine.breakers[Dependency.PAYMENTS]
    wait = CircuitWait(
        order_id=order_id,
        run=1,
        action="await_circuit",
        dependency=Dependency.PAYMENTS,
        opened="",
        since=shop.clock.now(),
        token="circuit",
    )
    circuit_waits.register(shop.documents, shop.executions, breaker, wait)


ALICE = Actor(Role.SUPPORT, "alice")


def test_an_order_that_waits_for_a_circuit_is_left_alone():
    """It is not stuck, its provider is down. The watchdog waits as long as the state machines do."""
    shop = shop_with(*s.PLACED)
    shop.engine.breakers[Dependency.PAYMENTS].hold_open(ALICE, "maintenance")
    at_circuit(shop)
    shop.clock.at += CIRCUIT_WAIT
    assert look(shop).notified == []
    shop.clock.advance(seconds=1)
    assert look(shop).restarted == [ORDER_ID]


def test_once_a_circuit_closed_the_budget_counts_from_there():
    """An order that is released only now could not go on before."""
    shop = shop_with(*s.PLACED)
    breaker = shop.engine.breakers[Dependency.PAYMENTS]
    breaker.hold_open(ALICE, "maintenance")
    shop.clock.advance(hours=3)
    breaker.close(ALICE, "done")
    shop.clock.at += BUDGETS[Awaiting.AUTHORIZATION]
    assert look(shop).notified == []
    shop.clock.advance(seconds=1)
    assert look(shop).notified == [ORDER_ID]


# --- the view against the log -----------------------------------------------------------------------------------------


def check(shop: Shop) -> list[OrderId] | None:
    return check_rows(shop.engine, UPKEEP)


def test_an_order_whose_message_was_lost_is_found_within_a_day_and_started():
    """Only the log has the order, so the daily comparison of log and view finds it."""
    shop = Shop()
    shop.play(*s.PLACED)
    assert look(shop) == WatchdogRound()
    assert check(shop) == [ORDER_ID]
    assert shop.executions.started == [f"{ORDER_ID}-1"]
    assert open_order(shop.documents, ORDER_ID) is not None


def test_an_outdated_row_is_updated_and_the_row_of_an_ended_order_deleted():
    shop = shop_with(*s.PLACED)
    shop.play(s.authorized())
    shop.play(replace(s.place(), order_id=OTHER), order_id=OTHER)
    refresh(shop.engine, OTHER, BUDGETS)
    shop.play(s.declined(), order_id=OTHER)
    assert check(shop) == []
    assert [(row.order_id, row.version) for row in open_orders(shop.documents)] == [(ORDER_ID, shop.order().version)]


def test_a_parked_order_that_the_view_lost_is_shown_again_and_not_started():
    shop = Shop()
    shop.play(*s.AUTHORIZED, s.park())
    assert check(shop) == [ORDER_ID]
    assert shop.executions.started == []


def test_ended_orders_are_recognised_by_their_last_event_and_not_loaded():
    """Nearly all orders of a long log have ended, so loading each would take too long."""
    shop = Shop()
    shop.play(*s.COMPLETED)
    loaded = []
    load = shop.log.load
    shop.log.load = lambda stream: loaded.append(stream) or load(stream)
    assert check(shop) == []
    assert loaded == []


def test_the_check_runs_once_a_day_and_again_after_a_crash():
    shop = shop_with(*s.PLACED)
    assert check(shop) == []
    shop.clock.at += CHECK_EVERY - timedelta(seconds=1)
    assert check(shop) is None
    shop.clock.advance(seconds=1)

    def die(after=None, **_):
        raise KeyboardInterrupt

    scan, shop.log.scan = shop.log.scan, die
    with pytest.raises(KeyboardInterrupt):
        check(shop)
    shop.log.scan = scan
    assert check(shop) == []
    assert check(shop) is None


def test_a_long_log_is_compared_over_many_rounds_each_going_on_where_the_last_one_stopped():
    """A scan of the whole log would take longer than a function may run."""
    shop = Shop()
    lost = [OrderId(f"{ORDER_ID[:-1]}{letter}") for letter in "abcde"]
    for order_id in lost:
        shop.play(replace(s.place(), order_id=order_id), order_id=order_id)
    scan = shop.log.scan

    def slow(after=None, **_):
        for commit in scan(after):
            shop.clock.at += CHECK_FOR * 0.4
            yield commit

    shop.log.scan = slow
    rounds = []
    while (repaired := check(shop)) is not None:
        rounds.append(repaired)
    assert [order_id for repaired in rounds for order_id in repaired] == lost
    assert len(rounds) > 2
    assert check(shop) is None


def test_reading_a_large_view_does_not_use_up_the_time_to_compare_the_log():
    """Otherwise a round with a large view would compare nothing."""
    shop = Shop()
    shop.play(*s.PLACED)
    list_ = shop.documents.list

    def slow(pk, **how):
        shop.clock.at += CHECK_FOR
        return list_(pk, **how)

    shop.documents.list = slow
    assert check(shop) == [ORDER_ID]


@pytest.mark.parametrize("unreadable", [ChainBroken(f"order#{OTHER}", 1, "edited"), msgspec.DecodeError("no JSON")])
def test_an_order_that_cannot_be_read_stops_neither_the_check_nor_the_clock(unreadable):
    """After a rollback or tampering; otherwise every round would stop at this order."""
    shop = Shop()
    shop.play(replace(s.place(), order_id=OTHER), order_id=OTHER)
    shop.play(*s.PLACED)
    load = shop.log.load

    def refused(stream):
        if stream == f"order#{OTHER}":
            raise unreadable
        return load(stream)

    shop.log.load = refused
    assert check(shop) == [ORDER_ID]
    assert check(shop) is None


def test_an_order_whose_last_commit_is_unreadable_in_the_scan_is_loaded():
    """A scan does not verify commits; loading the order does."""
    shop = Shop()
    shop.play(*s.PLACED)
    scan = shop.log.scan
    shop.log.scan = lambda after=None, **_: (msgspec.structs.replace(commit, ev="edited") for commit in scan(after))
    assert check(shop) == [ORDER_ID]


def test_a_round_without_an_answer_of_the_log_does_not_count_as_compared():
    """The next round goes on from the same place."""
    shop = Shop()
    shop.play(*s.PLACED)

    def silent(stream):
        raise StreamUnavailable(stream, "no answer")

    load, shop.log.load = shop.log.load, silent
    with pytest.raises(StreamUnavailable):
        check(shop)
    shop.log.load = load
    assert check(shop) == [ORDER_ID]


# --- the timer --------------------------------------------------------------------------------------------------------


def test_the_timer_makes_one_round_and_ticks_the_circuits_while_orders_wait():
    shop = shop_with(*s.PLACED)
    naps = []

    def pause(seconds):
        naps.append(seconds)
        shop.clock.advance(seconds=seconds)

    assert keep_time(shop.engine, UPKEEP, for_s=50, pause=pause)["ticks"] == 1
    shop.engine.breakers[Dependency.PAYMENTS].hold_open(ALICE, "maintenance")
    assert keep_time(shop.engine, UPKEEP, for_s=50, pause=pause)["ticks"] == 11
    assert naps == [TICK_EVERY_S] * 10
    assert keep_time(shop.engine, UPKEEP, for_s=0, pause=pause)["ticks"] == 1


def test_a_long_open_circuit_is_logged_in_every_round_until_it_closes(caplog):
    """An alarm counts the line, also for a circuit that a person holds open; a shorter outage passes by itself."""
    shop = shop_with(*s.PLACED)
    breaker = shop.engine.breakers[Dependency.KITCHEN]
    breaker.hold_open(ALICE, "maintenance")
    opened = shop.clock.at

    def lines_of_a_round():
        caplog.clear()
        keep_time(shop.engine, UPKEEP, for_s=0, pause=lambda _: None)
        return [vars(record) for record in caplog.records if record.message == OPEN_LONG]

    shop.clock.advance(minutes=10)
    assert lines_of_a_round() == []
    shop.clock.advance(minutes=1)
    for _ in range(2):
        (line,) = lines_of_a_round()
        assert (line["dependency"], line["state"], line["since"]) == ("kitchen", "held_open", timestamp(opened))
        assert ALICE.id not in str(line)
    breaker.close(ALICE, "done")
    assert lines_of_a_round() == []


def test_budgets_exceed_the_deployed_timeouts():
    """If restaurants have an hour to answer, no order is disturbed within that hour."""
    budgets = read({"KITCHEN_ANSWER_SECONDS": "3600"}, read_budgets)
    assert budgets[Awaiting.ACCEPTANCE] > timedelta(hours=1)
    assert set(budgets) == set(Awaiting)


@pytest.mark.parametrize("dependency", [Dependency.KITCHEN, Dependency.COURIERS], ids=str)
def test_a_circuit_that_cannot_be_read_does_not_keep_the_watchdog_from_other_orders(monkeypatch, dependency):
    """The round ends with the error. The overdue order, whose call is one to payments, was seen to before."""
    shop = shop_with(*s.PLACED)
    pass_budget(shop)

    def unreadable():
        raise ChainBroken(f"breaker#{dependency}", 1, "changed")

    monkeypatch.setattr(shop.engine.breakers[dependency], "read", unreadable)
    with pytest.raises(ChainBroken):
        keep_time(shop.engine, UPKEEP, for_s=0, pause=lambda _: None)
    assert shop.executions.started == [f"{ORDER_ID}-1"]
