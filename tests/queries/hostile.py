"""Statements that must not be run. Each names what it would reach."""

from __future__ import annotations

BOMB = "replace('" + "a" * 4000 + "', 'a', '" + "b" * 4000 + "')"

WRITES = """
DELETE FROM events
UPDATE events SET actor_id = 'me'
INSERT INTO events (order_id) VALUES ('x')
REPLACE INTO events (order_id) VALUES ('x')
DROP TABLE events
ALTER TABLE events RENAME TO e
CREATE TABLE t (a)
CREATE TEMP TABLE t AS SELECT * FROM orders
CREATE VIEW v AS SELECT * FROM orders
CREATE INDEX i ON events (data)
CREATE TRIGGER t AFTER INSERT ON events BEGIN SELECT 1; END
TRUNCATE events
VACUUM
VACUUM INTO '/tmp/copy.sqlite'
REINDEX
ANALYZE
SELECT * INTO stolen FROM orders
WITH gone AS (DELETE FROM events RETURNING *) SELECT * FROM gone
WITH gone AS (UPDATE orders SET total_minor = 0 RETURNING *) SELECT * FROM gone
SELECT 1; DELETE FROM events
SELECT 1; SELECT 2
SELECT * FROM events FOR UPDATE
LOCK TABLE events
COMMIT
ROLLBACK
BEGIN EXCLUSIVE
SAVEPOINT s
SET ROLE postgres
RESET ROLE
GRANT ALL ON events TO public
DO $$ BEGIN DELETE FROM events; END $$
CALL p()
NOTIFY c
LISTEN c
DISCARD ALL
PREPARE p AS SELECT 1
"""

OTHER_DATA = """
SELECT phone_index FROM orders
SELECT email_index FROM main.orders
SELECT name_index_1 FROM "main"."orders"
SELECT o.phone_index FROM main.orders AS o
SELECT * FROM main.orders
SELECT * FROM public.orders
SELECT * FROM (SELECT * FROM main.events)
SELECT rowid FROM main.events
SELECT _rowid_ FROM events
SELECT ctid FROM events
SELECT * FROM views_position
SELECT * FROM tickets
SELECT * FROM main.tickets
SELECT * FROM access
SELECT * FROM menus
SELECT * FROM sqlite_master
SELECT * FROM sqlite_schema
SELECT * FROM sqlite_temp_master
SELECT sql FROM main.sqlite_master
SELECT * FROM "sqlite_master"
SELECT * FROM sqlite_stat1
SELECT * FROM dbstat
SELECT * FROM sqlite_dbpage
SELECT * FROM bytecode('SELECT 1')
SELECT * FROM pragma_table_info('orders')
SELECT * FROM pragma_database_list
SELECT * FROM pragma_table_info
SELECT * FROM json_each('[1]')
SELECT * FROM generate_series(1, 10)
SELECT * FROM fsdir('/')
SELECT * FROM information_schema.tables
SELECT * FROM pg_catalog.pg_tables
SELECT * FROM pg_authid
SELECT * FROM pg_stat_activity
SELECT * FROM "pg_roles"
SELECT passwd FROM pg_shadow
WITH events AS (SELECT * FROM main.orders) SELECT * FROM events
WITH x AS (SELECT * FROM tickets) SELECT * FROM x
SELECT (SELECT count(*) FROM tickets)
SELECT 1 WHERE EXISTS (SELECT 1 FROM main.tickets)
SELECT 1 FROM events UNION SELECT lines FROM tickets
SELECT * FROM events, tickets
SELECT 'x'::regclass FROM tickets
TABLE orders
SHOW ALL
VALUES (1)
EXPLAIN SELECT 1
EXPLAIN QUERY PLAN SELECT * FROM events
PRAGMA table_info(orders)
PRAGMA query_only = OFF
PRAGMA writable_schema = 1
ATTACH DATABASE '/etc/passwd' AS p
ATTACH ':memory:' AS m
DETACH main
"""

FUNCTIONS = """
SELECT readfile('/etc/passwd')
SELECT writefile('/tmp/x', 'x')
SELECT edit('x')
SELECT load_extension('/tmp/x.so')
SELECT randomblob(1000000000)
SELECT zeroblob(1000000000)
SELECT hex(zeroblob(500000000))
SELECT printf('%.*c', 1000000000, 'x')
SELECT format('%.*c', 1000000000, 'x')
SELECT quote(zeroblob(1000000))
SELECT group_concat(data) FROM events
SELECT string_agg(data::text, '') FROM events
SELECT array_agg(data) FROM events
SELECT json_group_array(data) FROM events
SELECT json_agg(data) FROM events
SELECT repeat('x', 1000000000)
SELECT lpad('x', 1000000000)
SELECT sqlite_source_id()
SELECT sqlite_compileoption_get(1)
SELECT fts3_tokenizer('simple')
SELECT char(0)
SELECT unicode('x')
SELECT random()
SELECT "randomblob"(1000000000)
SELECT RandomBlob (1000000000)
SELECT pg_sleep(100)
SELECT pg_catalog.pg_sleep(100)
SELECT pg_read_file('/etc/passwd')
SELECT pg_ls_dir('/')
SELECT lo_import('/etc/passwd')
SELECT lo_get(1)
SELECT set_config('role', 'postgres', false)
SELECT current_setting('data_directory')
SELECT query_to_xml('select * from orders', true, true, '')
SELECT table_to_xml('orders', true, true, '')
SELECT database_to_xml(true, true, '')
SELECT dblink('x', 'y')
SELECT pg_advisory_lock(1)
SELECT pg_terminate_backend(1)
SELECT pg_reload_conf()
SELECT txid_current()
SELECT nextval('s')
SELECT version()
SELECT inet_server_addr()
SELECT has_table_privilege('orders', 'select')
SELECT to_regclass('orders')
SELECT ts_stat('select 1')
SELECT xmlparse(document '<a/>')
COPY events TO '/tmp/x'
COPY (SELECT 1) TO PROGRAM 'id'
"""

TRICKS = """
SELECT 1 -- and a comment
SELECT /* hidden */ 1
SELECT 1 /*! DELETE FROM events */
SELECT $$x$$
SELECT $tag$x$tag$
SELECT E'a\\'; DELETE FROM events'
SELECT U&'d!0061' UESCAPE '!'
SELECT X'00ff'
SELECT N'x'
SELECT 'a''b''c' FROM events GROUP BY pg_sleep(9)
SELECT `phone_index` FROM orders
SELECT [phone_index] FROM orders
SELECT ?1
SELECT :name
SELECT @name
SELECT 1) UNION SELECT phone_index FROM orders --
SELECT 1) AS answer; DELETE FROM events
SELECT (1
SELECT 'unterminated
SELECT "unterminated
SELECT 0x10
SELECT 1 & 2
SELECT ~1
SELECT "a""b"
SELECT \uff53elect
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n
WITH n AS (SELECT 1 UNION ALL SELECT * FROM n) SELECT count(*) FROM n
SELECT * FROM events TABLESAMPLE SYSTEM (1)
SELECT * FROM events WHERE data MATCH 'x'
"""


def _lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line]


LONG = [
    "SELECT " + "(" * 2000 + "1" + ")" * 2000,
    "SELECT " + "+".join(["1"] * 4000),
    "SELECT 1" + " UNION ALL SELECT 1" * 500,
    "SELECT " + ",".join(["1"] * 4000),
    "SELECT '" + "x" * 20_000 + "'",
    "SELECT '\x00'",
    "",
    ";",
    " \n ",
]

HOSTILE = [*map(_lines, (WRITES, OTHER_DATA, FUNCTIONS, TRICKS)), LONG]
STATEMENTS = [statement for group in HOSTILE for statement in group]
