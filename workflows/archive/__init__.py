"""Orders that ended long ago move out of the table of events, into segments of an archive, and are read as before.

``archiving`` lists the orders of a log by age, loads those that are old enough, writes their commits as a segment with
a Merkle root, reads it back, and only then replaces the contents in the table by pointers. What a segment and a pointer
are stands in ``workflows.event_store.segments``, because every log reads archived commits through it. The folder of one
machine is ``workflows.sqlite.archive``, the bucket on AWS ``workflows.aws.archive``.
"""
