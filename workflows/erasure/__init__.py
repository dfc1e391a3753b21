"""Erase a customer, and show everything that is kept about one.

* ``requests``: a person proposes an erasure, and a second one approves it. Both are events of ``customer#<id>``, and
  ``state`` reads from them how far an erasure is.
* ``performing``: destroys the customer's data key, deletes what is derived from it, and records a receipt. Every step
  can be repeated: a schedule goes on with an erasure whose process was killed.
* ``holdings``: what is kept about a customer, and where; ``customer_data`` shows it field by field.
"""
