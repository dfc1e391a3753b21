"""The drills."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

from workflows.boundary.private_files import write_private
from workflows.cli.drills.drill import Drill
from workflows.cli.drills.stage import Stage, eventually, limit_file_size
from workflows.embedded.files import DATABASE

_UP = ("up", "--data", "{data}", "--port", "0")
_ORDERS_FOR_A_CIRCUIT = 6
"""Failed calls from which the circuit of a provider opens, and one more."""


def _begin(stage: Stage) -> None:
    stage.start(*_UP, "--demo-data")
    stage.names["order"] = stage.place()


def _is_under_way(stage: Stage, data: str = "{data}") -> bool:
    """Whether the drill's order was sent to its restaurant."""
    return bool(stage.ask(lambda engine: engine.get(stage.names["order"])["preparation"], data))


def _wrong_engine(stage: Stage, data: str = "{data}") -> str:
    if not stage.eventually(lambda: stage.ask(lambda engine: engine.get(stage.names["order"]), data)):
        return f"no engine with the order {stage.names['order']} answers on {stage.filled((data,))[0]}"
    if not stage.eventually(lambda: _is_under_way(stage, data)):
        return f"the order {stage.names['order']} does not go on"
    return ""


# --- the engine was killed --------------------------------------------------------------------------------------------


def _kill_engine(stage: Stage) -> None:
    _begin(stage)
    stage.kill("up")


KILLED_ENGINE = Drill(
    name="killed-engine",
    title="The engine's process was killed while orders were under way.",
    section="An engine on one machine",
    prepare=_kill_engine,
    told="Customers say that nothing answers. An order was placed a moment ago: {order}.",
    broken="The engine was killed with SIGKILL right after it had acknowledged the order.",
    look=(("order", "show", "{order}", "--data", "{data}"),),
    repair=(_UP,),
    wrong=_wrong_engine,
)


# --- the disk is full -------------------------------------------------------------------------------------------------


def _fill_disk(stage: Stage) -> None:
    _begin(stage)
    limit_file_size(stage.processes["up"], 4096)
    stage.run("order", "place", "--example", "--data", "{data}")  # refused, or not answered
    if not eventually(lambda: stage.processes["up"].poll() is not None):
        stage.kill("up")


FULL_DISK = Drill(
    name="full-disk",
    title="The disk of the engine's folder is full.",
    section="An engine on one machine",
    prepare=_fill_disk,
    told="The engine ended by itself. Its log said that the disk is full; the disk has space again. Order: {order}.",
    broken="The engine could not write any more. It acknowledged nothing that it could not write, and ended.",
    look=(("order", "show", "{order}", "--data", "{data}"), ("audit", "verify", "--data", "{data}")),
    repair=(_UP,),
    wrong=_wrong_engine,
)


# --- the log was tampered with ----------------------------------------------------------------------------------------


def _tamper(stage: Stage) -> None:
    _begin(stage)
    eventually(lambda: _is_under_way(stage))
    stage.must("backup", "{data}", "{backup}")
    stage.kill("up")
    with closing(sqlite3.connect(stage.data / DATABASE)) as database:
        changed = database.execute(
            "UPDATE events SET ev = replace(ev, '\"quantity\":', '\"quantity\":1') WHERE pk = ? AND sk = 1",
            (f"order#{stage.names['order']}",),
        )
        assert changed.rowcount == 1
        database.commit()
    stage.start(*_UP)


def _wrong_log(stage: Stage) -> str:
    if not Path(stage.names["restored"]).is_dir():
        return f"nothing was restored to {stage.names['restored']}"
    if stage.run("audit", "verify", "--data", "{restored}").code != 0:
        return f"the log in {stage.names['restored']} does not verify"
    return _wrong_engine(stage, "{restored}")


TAMPERED_LOG = Drill(
    name="tampered-log",
    title="A commit of the log was changed behind the engine's back.",
    section="Tampering",
    prepare=_tamper,
    told="A restaurant says that an order shows more items than were ordered. A backup from before is in {backup}.",
    broken="The quantities in the first commit of {order} were edited in the database file.",
    look=(("audit", "verify", "--data", "{data}"),),
    repair=(
        ("restore", "{backup}", "{restored}", "--erased", "{data}"),
        ("up", "--data", "{restored}", "--port", "0"),
        ("audit", "verify", "--data", "{restored}"),
    ),
    wrong=_wrong_log,
)


# --- a provider is down -----------------------------------------------------------------------------------------------


def _stop_providers(stage: Stage) -> None:
    address = stage.start("sandbox", "--data", "{providers}", "--port", "0")
    stage.names["port"] = address.rpartition(":")[2]
    token = (Path(stage.names["providers"]) / "sandbox.token").read_text().strip()
    stage.data.mkdir(mode=0o700)
    credentials = dict.fromkeys(("payments", "kitchen", "couriers"), token)
    write_private(stage.data / "providers.json", json.dumps(credentials))
    parameters = {"PaymentsUrl": "payments", "KitchenUrl": "kitchen", "CouriersUrl": "couriers"}
    options = [f"--parameter={name}={address}/{path}" for name, path in parameters.items()]
    stage.start(*_UP, "--demo-data", *options)
    stage.kill("sandbox")
    for _ in range(_ORDERS_FOR_A_CIRCUIT):
        stage.names["order"] = stage.place()
    if not eventually(lambda: _state(stage, "payments") == "open"):
        raise AssertionError("the circuit of payments did not open")


def _state(stage: Stage, dependency: str) -> str:
    listed = stage.ask(lambda engine: engine.circuits()["circuits"]) or []
    return next((str(circuit["state"]) for circuit in listed if circuit["dependency"] == dependency), "")


def _wrong_provider(stage: Stage) -> str:
    if not stage.eventually(lambda: _state(stage, "payments") == "closed"):
        return "the circuit of payments is not closed"
    stage.names["order"] = stage.place()  # those that wait are released by the timer, within a minute
    return _wrong_engine(stage)


PROVIDER_DOWN = Drill(
    name="provider-down",
    title="A provider does not answer.",
    section="Stuck orders",
    prepare=_stop_providers,
    told="New orders do not reach their restaurants, e.g. {order}.",
    broken="The process that plays the providers was killed. The circuit of payments opened, and orders wait for it.",
    look=(
        ("circuits", "list", "--data", "{data}"),
        ("order", "why", "{order}", "--data", "{data}"),
    ),
    repair=(
        ("sandbox", "--data", "{providers}", "--port", "{port}"),
        ("circuits", "close", "payments", "--reason", "the provider answers again", "--data", "{data}"),
    ),
    wrong=_wrong_provider,
)


# --- a view lacks an order --------------------------------------------------------------------------------------------


def _lose_row(stage: Stage) -> None:
    _begin(stage)
    if not eventually(lambda: _is_under_way(stage) and _is_listed(stage)):
        raise AssertionError("the views do not follow the log")
    with closing(sqlite3.connect(stage.data / "views.sqlite", timeout=10)) as views:
        views.execute("DELETE FROM orders WHERE order_id = ?", (stage.names["order"],))
        views.commit()


def _is_listed(stage: Stage) -> bool:
    return bool(stage.ask(lambda engine: engine.orders(id_prefix=stage.names["order"])["orders"]))


def _wrong_views(stage: Stage) -> str:
    return "" if stage.eventually(lambda: _is_listed(stage)) else "the order is in no list yet"


LOST_ROW = Drill(
    name="lost-row",
    title="Lists lack an order that exists.",
    section="Views mended",
    prepare=_lose_row,
    told="Support does not find the order {order} in any list, and its customer has a confirmation.",
    broken="The order's row was deleted from the view orders, as a lost message would leave it.",
    look=(
        ("order", "show", "{order}", "--data", "{data}"),
        ("order", "list", "--id-prefix", "{order}", "--data", "{data}"),
        ("views", "check", "--data", "{data}"),
    ),
    repair=(("views", "rebuild", "orders", "--data", "{data}"),),
    wrong=_wrong_views,
)

DRILLS = {drill.name: drill for drill in (KILLED_ENGINE, PROVIDER_DOWN, TAMPERED_LOG, FULL_DISK, LOST_ROW)}
