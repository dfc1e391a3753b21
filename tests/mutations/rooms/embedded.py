"""Mutants of ``workflows/embedded/``."""

from __future__ import annotations

from tests.mutations.mutant import Mutant, simulation, tests

PROJECTOR = "embedded/test_projector_process.py"

MUTANTS = (
    Mutant(
        name="a published checkpoint replaced",
        breaks="A checkpoint is written once: of two processes one publishes it, so history does not fork.",
        file="workflows/embedded/checkpoint_folder.py",
        old="                os.link(new, self._file(number))\n",
        new="                os.replace(new, self._file(number))\n",
        caught_by=tests("audit/test_checkpoints.py::test_a_store_keeps_the_first_file_under_a_number"),
    ),
    Mutant(
        name="clock follows a wall clock that jumps",
        breaks="A wall clock that jumps moves the engine's clock by 5% of the time at most.",
        file="workflows/embedded/steady_clock.py",
        old="max(-slew_s, min(slew_s, apart_s))",
        new="apart_s",
        caught_by=simulation(0, 20),
    ),
    Mutant(
        name="checkpoint of the feed ahead of the processing",
        breaks="The checkpoint is never ahead of the processing, so that a crash leads to redelivery.",
        file="workflows/embedded/lambda_/feed.py",
        old="json.dumps(sorted(self._unfinished)))\n",
        new="json.dumps([]))\n",
        caught_by=tests("embedded/test_feed.py::test_after_a_checkpoint_only_the_unfinished_comes_again"),
    ),
    Mutant(
        name="projector that no commit wakes",
        breaks="The engine wakes the projector's process after each turn in which something was committed.",
        file="workflows/embedded/projector_process.py",
        old="            self._hub.soon(self._wake)\n",
        new="",
        caught_by=tests(f"{PROJECTOR}::test_commits_of_one_turn_wake_the_projector_once"),
    ),
    Mutant(
        name="projector that outlives its engine",
        breaks="The projector's process ends with the engine, even if the engine is killed.",
        file="workflows/embedded/projector_main.py",
        old="    follower.stop()\n    time.sleep(END_WITHIN_S)\n    os._exit(1)\n",
        new="",
        caught_by=tests(f"{PROJECTOR}::test_the_projector_ends_with_an_engine_that_is_killed"),
    ),
    Mutant(
        name="projector that is not started again",
        breaks="A projector that was killed is started again and continues from the stored position.",
        file="workflows/embedded/projector_process.py",
        old="            if self._closing.is_set():\n                return\n",
        new="            return\n",
        caught_by=tests(f"{PROJECTOR}::test_a_killed_projector_is_started_again_and_the_views_are_those_of_a_rebuild"),
    ),
    Mutant(
        name="login code that works twice",
        breaks="The code in the address of a browser's history is worth nothing after its first use.",
        file="workflows/embedded/http/console.py",
        old="        pending = self._pending.pop(_name(code), None)\n",
        new="        pending = self._pending.get(_name(code))\n",
        caught_by=tests("console/test_serving.py::test_a_code_gives_its_token_once"),
    ),
    Mutant(
        name="login code that never expires",
        breaks="A code that no browser fetched is forgotten after a minute.",
        file="workflows/embedded/http/console.py",
        old="pending is not None and pending.until_s > self._clock()",
        new="pending is not None",
        caught_by=tests("console/test_serving.py::test_a_code_expires_and_codes_are_bounded"),
    ),
    Mutant(
        name="console's page without its policy",
        breaks="A text of an order that became a script would run.",
        file="workflows/embedded/http/console.py",
        old="        headers |= security_headers(file.content, origins)\n",
        new="        pass\n",
        caught_by=tests("console/test_serving.py::test_every_address_of_the_console_is_its_page_with_a_strict_policy"),
    ),
    Mutant(
        name="key of a restored backup",
        breaks="A key that was destroyed before is destroyed again before an engine runs.",
        file="workflows/embedded/engine.py",
        old="        destroy_again(erased.ids(), log, documents, keyring, clock)\n",
        new="",
        caught_by=tests(
            "erasure/test_nothing_is_left.py::test_a_restored_backup_from_before_is_erased_again_before_anything_runs"
        ),
    ),
    Mutant(
        name="key that is older than the log",
        breaks="A key that comes back is destroyed again, also where the log has recorded its destruction already.",
        file="workflows/embedded/erased_keys.py",
        old="        keyring.destroy(customer, key_id)  # a log that is newer than the keys has recorded it already\n",
        new="",
        caught_by=tests(
            "erasure/test_erased_keys.py",
            "simulation/test_retention.py::test_worlds_erase_and_archive_while_orders_go_on_and_their_laws_hold",
        ),
    ),
    Mutant(
        name="unread response kept until its client reads",
        breaks="A closed connection with an unread response ends at its limit.",
        file="workflows/embedded/http/gentle_close.py",
        old="            if self._transport.get_write_buffer_size():\n",
        new="            if False:\n",
        caught_by=tests("embedded/test_connections.py::test_a_response_that_is_not_read_closes_the_connection"),
    ),
    Mutant(
        name="projector that hangs is left alone",
        breaks="A projector that writes nothing while it has commits to read is killed and replaced.",
        file="workflows/embedded/projector_process.py",
        old="quiet = quiet + 1 if self._has_commits_to_read() else 0",
        new="quiet = quiet if self._has_commits_to_read() else 0",
        caught_by=tests("embedded/test_projector_process.py::test_a_projector_hangs_only_while_it_has_commits_to_read"),
    ),
)
