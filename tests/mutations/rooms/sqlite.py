"""Mutants of ``workflows/sqlite/``."""

from __future__ import annotations

from tests.mutations.mutant import Mutant, tests

BYTES = "embedded/test_bytes_after_fsync.py"

MUTANTS = (
    Mutant(
        name="repeated request answered before the first one's fsync",
        breaks="No answer shows a commit before its fsync, not even the answer to a repeated request.",
        file="workflows/sqlite/group_commit.py",
        old="                self._perform(queued)\n",
        new="                self._perform(queued)\n"
        "                if queued.result is not None:\n"
        "                    batch = [other for other in batch if other is not queued]\n"
        "                    queued.settle()\n",
        caught_by=tests(
            "sqlite/test_sqlite_event_log.py::test_a_replayed_append_is_answered_only_once_the_write_it_repeats_is_durable"
        ),
    ),
    Mutant(
        name="write answered before its fsync",
        breaks="A write is acknowledged only after its fsync.",
        file="workflows/sqlite/group_commit.py",
        old="                self._perform(queued)\n",
        new="                self._perform(queued)\n                queued.settle()\n            batch = []\n",
        caught_by=tests(
            "sqlite/test_sqlite_event_log.py::test_thirty_two_orders_share_syncs_and_none_is_acknowledged_before_its_own"
        ),
    ),
    Mutant(
        name="result before its commit",
        breaks="A write is acknowledged after the COMMIT that made it durable.",
        file="workflows/sqlite/group_commit.py",
        old="                self._perform(queued)\n"
        '            self._connection.execute("COMMIT")\n'
        "            self._files.check(self._frames)\n"
        "        except (apsw.Error, FileReplaced) as error:\n"
        "            self._break(error, batch)\n"
        "            return\n"
        "        for queued in batch:\n"
        "            queued.settle()\n",
        new="                self._perform(queued)\n"
        "                queued.settle()\n"
        '            self._connection.execute("COMMIT")\n'
        "            self._files.check(self._frames)\n"
        "        except (apsw.Error, FileReplaced) as error:\n"
        "            self._break(error, batch)\n"
        "            return\n",
        caught_by=tests("sqlite/test_database.py::test_nothing_is_visible_or_acknowledged_while_the_sync_runs"),
    ),
    Mutant(
        name="old history kept",
        breaks="A history that is older than the newest durable commit of its stream is not kept.",
        file="workflows/sqlite/recent.py",
        old="        if history.version >= newest:\n            self._put",
        new="        if history.version >= 0:\n            self._put",
        caught_by=tests("sqlite/test_recent.py::test_no_order_of_appends_and_late_results_keeps_an_old_history"),
    ),
    Mutant(
        name="kept history after a write of another process",
        breaks="Kept histories are dropped when another process wrote to the file.",
        file="workflows/sqlite/event_log.py",
        old="            self._recent.clear()\n",
        new="",
        caught_by=tests("sqlite/test_recent.py::test_a_write_of_another_process_empties_what_is_kept"),
    ),
    Mutant(
        name="history kept after its key was destroyed",
        breaks="A history that continues one from before an erasure is not kept: it holds what was decrypted.",
        file="workflows/sqlite/event_log.py",
        old="        if recent is not None and recent.emptied == emptied:",
        new="        if recent is not None:",
        caught_by=tests(
            "sqlite/test_recent.py::test_an_append_after_a_key_was_destroyed_keeps_nothing_that_it_decrypted",
            "sqlite/test_recent.py::test_a_key_destroyed_while_an_append_becomes_durable_takes_its_history_too",
        ),
    ),
    Mutant(
        name="kept read after a write of the partition",
        breaks="A durable write of a document drops the kept reads of its partition.",
        file="workflows/sqlite/documents.py",
        old="            self._reads.pop(pk, None)\n",
        new="            pass\n",
        caught_by=tests("sqlite/test_recent_reads.py::test_a_kept_read_equals_the_file_after_any_writes"),
    ),
    Mutant(
        name="full transaction that does not wake the hub",
        breaks="Writes that a transaction had no room for are committed by the next one.",
        file="workflows/sqlite/group_commit.py",
        old="        if self._queue:\n            self.hub.commit(self._commit_queued)\n        elif batch:\n",
        new="        if batch:\n",
        caught_by=tests("hub/test_hub.py::test_writes_that_one_transaction_has_no_room_for_are_committed_by_the_next"),
    ),
    Mutant(
        name="bytes before the fsync of a commit",
        breaks="No answer, live update, webhook or provider call leaves before the fsync of its cause.",
        file="workflows/sqlite/database.py",
        old="PRAGMA synchronous=FULL",
        new="PRAGMA synchronous=NORMAL",
        caught_by=tests(f"{BYTES}::test_no_byte_leaves_before_the_fsync_of_its_cause"),
    ),
    Mutant(
        name="append that does not wait for its fsync",
        breaks="A task goes on after its append once the commit is durable.",
        file="workflows/sqlite/event_log.py",
        old="stored = wait("
        "self._database.submit(lambda connection: _insert(connection, commit), on_durable=durable))\n",
        new="self._database.submit(lambda connection: _insert(connection, commit), on_durable=durable)\n"
        "            stored: int | Commit = 0\n",
        caught_by=tests(f"{BYTES}::test_no_byte_leaves_before_the_fsync_of_its_cause"),
    ),
    Mutant(
        name="live updates before the commit",
        breaks="Listeners of the log are called once the commit is durable.",
        file="workflows/sqlite/group_commit.py",
        old="            queued.result = queued.work(self._connection)\n",
        new="            queued.result = queued.work(self._connection)\n"
        "            if queued.on_durable is not None:\n"
        "                queued.on_durable(queued.result)\n",
        caught_by=tests("sqlite/test_sqlite_event_log.py::test_readers_feed_and_scan_see_nothing_before_the_sync"),
    ),
    Mutant(
        name="commit behind a hole in the WAL",
        breaks="A commit is acknowledged only if the next start will find it and those before it.",
        file="workflows/sqlite/open_files.py",
        old="            self._check_wal(self._wal_fd, frames)\n",
        new="",
        caught_by=tests(
            "sqlite/test_open_files.py::test_a_commit_into_a_file_whose_content_is_gone_is_not_acknowledged"
        ),
    ),
)
