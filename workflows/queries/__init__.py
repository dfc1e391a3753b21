"""SQL by auditors over the views: read-only, with limits, and without any way to another table.

``relations`` names what may be read. ``statement`` checks a text and puts the relations in front of it. ``sqlite`` runs
it in a process of its own (``sqlite_child``), whose authorizer admits the relations' columns alone; ``postgres`` by a
role that may read these columns and nothing else. ``running`` picks one of the two, and bounds how many run at once.
"""
