"""Reads of the views in SQL: lists of orders and events, boards, statistics. They decide nothing.

A filter object (``filters``) and the caller go in; ``scopes`` adds which rows the caller's role may see; each list
module makes one statement of both; ``reading`` runs it in one snapshot with the age of the views (``as_of``), away from
the hub. Pages follow keys and not offsets (``cursors``). Only ``reading`` is imported before the first search, because
SQLAlchemy takes long to import: the others are imported by its calls.
"""
