"""SQL databases for views, which can be rebuilt from the log: SQLite on one machine, PostgreSQL elsewhere.

``database`` opens one by its URL and runs transactions: many readers, which never block the writer, and statements
with a time limit. ``columns`` has the column types that compare and sort alike on both. ``schema`` creates and upgrades
the tables that belong to no view. No decision is made from SQL, and no personal data is in it.

SQLAlchemy takes a tenth of a second to import, so the modules of this room are imported only where SQL is used.
"""
