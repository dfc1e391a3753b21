"""Files of events for auditors, and what checks them later without an engine.

``event_rows`` reads the view ``events`` in pages; ``formats`` writes pages as JSONL, CSV or Parquet; ``manifest`` is
the text with the file's hashes, which the engine signs; ``writing`` puts these together under a temporary name.
``opening`` checks a file against its manifest and loads it into SQLite, where ``workflows.queries`` reads it.
"""
