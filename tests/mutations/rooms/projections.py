"""Mutants of ``workflows/projections/``."""

from __future__ import annotations

from tests.mutations.mutant import Mutant, simulation, tests

PROJECTOR = "embedded/test_projector_process.py"

MUTANTS = (
    Mutant(
        name="view row of a lower version replaces a higher one",
        breaks="A row is replaced only by a row of a higher version, however late a projector writes.",
        file="workflows/projections/store.py",
        old='        guard = ">=" if again else ">"\n',
        new='        guard = ""\n',
        caught_by=simulation(0, 10),
    ),
    Mutant(
        name="view position stored before the rows",
        breaks="The position is stored with the rows in one transaction: what is before it is in the views.",
        file="workflows/projections/projector.py",
        old="        store = self._store\n        with store.writing() as connection:\n            left_out",
        new="        store = self._store\n"
        "        if as_of is not None:\n"
        "            with store.writing() as connection:\n"
        "                store.advance(connection, as_of)\n"
        "        with store.writing() as connection:\n"
        "            left_out",
        caught_by=simulation(0, 20),
    ),
    Mutant(
        name="view of a parked history forgotten",
        breaks="A history that cannot be projected is recorded as parked, and tried again.",
        file="workflows/projections/projector.py",
        old="                store.park(connection, view, stream, type(error).__name__)\n",
        new="                pass\n",
        caught_by=simulation(0, 10),
    ),
    Mutant(
        name="view that the daily comparison does not mend",
        breaks="Whatever happened to a view's rows, the daily comparison brings those of the log back.",
        file="workflows/projections/comparison.py",
        old="        self._projector.mend({*wrong, *parked})\n",
        new="        self._projector.project({*wrong, *parked})\n",
        caught_by=tests("projections/test_comparison.py::test_rows_that_are_lost_changed_or_made_up_are_mended"),
    ),
    Mutant(
        name="destroyed key used by the projector",
        breaks="The projector uses no key that it read before a customer was erased.",
        file="workflows/projections/log_follower.py",
        old="                self._forget_keys()\n",
        new="                pass\n",
        caught_by=tests(f"{PROJECTOR}::test_an_erased_customer_is_no_longer_found"),
    ),
    Mutant(
        name="item that left the menu found",
        breaks="A search for a dish finds what can be ordered.",
        file="workflows/projections/menus.py",
        old='        "available": int(is_listed and "" not in sold_out),\n',
        new='        "available": int("" not in sold_out),\n',
        caught_by=tests("search/test_restaurants.py"),
    ),
    Mutant(
        name="order's rows stored in the views of restaurants",
        breaks="A view has rows of the streams that it is made of.",
        file="workflows/projections/rebuild.py",
        old="                if view.category == ORDER:\n",
        new="                if view.category:\n",
        caught_by=tests("projections/test_rebuild.py::test_an_erasure_during_a_rebuild_is_in_the_new_table"),
    ),
    Mutant(
        name="owed after it was given back",
        breaks="What was given back is not owed any more.",
        file="workflows/projections/owed.py",
        old='"open": int(item is not None),',
        new='"open": 1,',
        caught_by=tests("search/test_owed.py"),
    ),
    Mutant(
        name="blind indexes of an erased customer",
        breaks="An erasure empties the blind indexes itself: on AWS no message tells the projector of it.",
        file="workflows/projections/forgetting.py",
        old="            connection.execute(emptied)\n",
        new="            assert emptied is not None\n",
        caught_by=tests("erasure/test_requests.py::test_the_blind_indexes_go_without_the_projector"),
    ),
    Mutant(
        name="amounts of an order without those that moved",
        breaks="An order is found by what was held, taken or given back, whatever its total is now.",
        file="workflows/projections/amounts.py",
        old="        yield event.amount.minor\n",
        new="",
        caught_by=tests("projections/test_amounts.py::test_each_amount_that_the_order_ever_showed_has_one_row"),
    ),
)
