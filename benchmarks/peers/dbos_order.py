"""The equal order on DBOS over SQLite: ``python -m benchmarks.peers.dbos_order FOLDER``.

As DBOS's documents write it: each call or record is a ``DBOS.step``, answers arrive with ``DBOS.send`` and are awaited
with ``DBOS.recv``, and the two branches are child workflows. Its system database is in WAL mode, as in
``dbos_saga``. On SQLite, DBOS polls for messages; it does so every 10 ms here, because its default of a second
would make each of the five answers wait for a second.
"""

# mypy: ignore-errors
# It runs in a virtual environment of its own, whose packages mypy cannot see.

from __future__ import annotations

import sqlite3
import sys
from pathlib import Path

from dbos import DBOS, DBOSConfig, SetWorkflowID

from benchmarks.peers.order_people import CANCEL, AnsweringPeople
from benchmarks.peers.order_rounds import answer_orders
from benchmarks.peers.order_steps import OrderSteps

POLLING_S = 0.01
BRANCH_OF = {"accepted": "kitchen", "ready": "kitchen"}
ANSWERED_WITHIN_S = 120


def main(folder: Path) -> None:
    people = AnsweringPeople()
    steps = OrderSteps(folder, people.observe)
    system = folder / "dbos.sqlite"
    with sqlite3.connect(system) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
    config: DBOSConfig = {
        "name": "benchmark",
        "system_database_url": f"sqlite:///{system}",
        "log_level": "ERROR",
        "run_admin_server": False,
        "notification_listener_polling_interval_sec": POLLING_S,
    }
    DBOS(config=config)

    @DBOS.step()
    def place(order: str) -> str:
        return steps.place(order)

    @DBOS.step()
    def authorize(order: str) -> str:
        return steps.authorize(order)

    @DBOS.step()
    def send_ticket(order: str) -> str:
        return steps.send_ticket(order)

    @DBOS.step()
    def make_offer(order: str) -> str:
        return steps.make_offer(order)

    @DBOS.step()
    def record(order: str, event: str) -> str:
        return steps.record(order, event)

    @DBOS.step()
    def capture(order: str) -> str:
        return steps.capture(order)

    @DBOS.step()
    def withdraw_offer(order: str) -> str:
        return steps.withdraw_offer(order)

    @DBOS.step()
    def cancel_ticket(order: str) -> str:
        return steps.cancel_ticket(order)

    @DBOS.step()
    def void(order: str) -> str:
        return steps.void(order)

    def await_answers(order: str, answers: tuple[str, ...]) -> bool:
        for answer in answers:
            message = DBOS.recv(timeout_seconds=ANSWERED_WITHIN_S)
            if message != answer:
                assert message == CANCEL, (order, message, answer)
                return False
            record(order, answer)
        return True

    @DBOS.workflow()
    def kitchen(order: str) -> bool:
        send_ticket(order)
        return await_answers(order, ("accepted", "ready"))

    @DBOS.workflow()
    def courier(order: str) -> bool:
        make_offer(order)
        return await_answers(order, ("assigned", "picked_up", "delivered"))

    @DBOS.workflow()
    def process_order(order: str) -> str:
        place(order)
        authorize(order)
        branches = []
        for name, branch in (("kitchen", kitchen), ("courier", courier)):
            with SetWorkflowID(f"{order}-{name}"):
                branches.append(DBOS.start_workflow(branch, order))
        delivered = [branch.get_result() for branch in branches]
        if all(delivered):
            capture(order)
            return "completed"
        for compensate in (withdraw_offer, cancel_ticket, void):
            compensate(order)
        return "cancelled"

    def answer(order: str, act: str) -> None:
        if act == CANCEL:
            DBOS.send(f"{order}-kitchen", CANCEL)
            DBOS.send(f"{order}-courier", CANCEL)
        else:
            DBOS.send(f"{order}-{BRANCH_OF.get(act, 'courier')}", act)

    people.answer = answer
    DBOS.launch()

    def placed(order: str) -> str:
        with SetWorkflowID(order):
            return process_order(order)

    answer_orders(placed, steps, people)
    DBOS.destroy()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
