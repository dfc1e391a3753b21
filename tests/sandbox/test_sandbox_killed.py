"""A sandbox killed with SIGKILL at any moment keeps every receipt that it gave, and repeats no effect."""

from __future__ import annotations

import ast
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

PROGRAM = '''
"""Eight threads serve forty orders and print each receipt once they have it."""
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

from domain.identifiers import RestaurantId, order_id_for
from domain.money import Money
from workflows.clock import SystemClock
from workflows.sandbox.counterparty import Surroundings
from workflows.sandbox.opening import open_sandbox
from workflows.sandbox.settings import SandboxSettings

surroundings = Surroundings(clock=SystemClock(), random=Random(1), wait=lambda _seconds: None)
sandbox = open_sandbox(Path(sys.argv[1]), SandboxSettings(), surroundings)


def say(key, receipt):
    print(f"{key} {receipt!r}\\n", end="", flush=True)
    return receipt


def serve(number):
    order = order_id_for("killed", str(number))
    key = f"{order}/{{}}".format
    ask = dict(timeout_s=10)
    held = say(key(1), sandbox.payments.authorize(
        reference=order, payment_method="pm_ok", amount=Money(4000, "EUR"), key=key(1), **ask))
    say(key(2), sandbox.kitchen.send_ticket(
        reference=order, restaurant=RestaurantId("rest-1"), lines=[], key=key(2), **ask))
    say(key(3), sandbox.kitchen.cancel_ticket(ticket_key=key(2), key=key(3), **ask))
    taken = say(key(4), sandbox.payments.capture(
        authorization_id=held.authorization_id, amount=Money(3150, "EUR"), key=key(4), **ask))
    say(key(5), sandbox.payments.refund(capture_id=taken.capture_id, amount=Money(99, "EUR"), key=key(5), **ask))


with ThreadPoolExecutor(8) as threads:
    list(threads.map(serve, range(40)))
lines = [line for order in range(40) for line in sandbox.payments.entries(order_id_for("killed", str(order)))]
print("lines", sorted((line.kind, line.key) for line in lines), flush=True)
sys.stdin.read()  # a process that is to be killed waits here
'''


def _run(file: Path, kill_after: int | None) -> list[str]:
    """The output until the process was killed after this many receipts, or ended."""
    printed: list[str] = []
    stdin = subprocess.DEVNULL if kill_after is None else subprocess.PIPE
    command = [sys.executable, "-c", PROGRAM, str(file)]
    child = subprocess.Popen(command, stdin=stdin, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    with child:
        for line in child.stdout:
            printed.append(line)
            if len(printed) == kill_after:
                child.kill()
    assert child.returncode == (0 if kill_after is None else -signal.SIGKILL)
    return [line for line in printed if line.endswith("\n")]


def test_killed_at_any_moment_it_keeps_every_receipt_it_gave(tmp_path: Path):
    """A receipt is durable before it is answered; the same calls afterwards get the same receipts."""
    file, receipts = tmp_path / "sandbox.sqlite", {}
    for kill_after in (1, 20, 57, 90, 133, 170, None):
        receipts = dict(line.rstrip("\n").split(" ", 1) for line in _run(file, kill_after))
        for key, receipt in receipts.items():
            assert receipts.setdefault(key, receipt) == receipt
    lines = Counter(ast.literal_eval(receipts.pop("lines")))
    assert len(receipts) == 200
    assert set(lines.values()) == {1}
    assert Counter(kind for kind, _ in lines) == {"authorized": 40, "captured": 40, "released": 40, "refunded": 40}
