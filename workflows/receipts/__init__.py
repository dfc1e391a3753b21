"""Receipts of orders: made on completion and on each refund, and then never changed.

``content`` computes the facts of a receipt from the order's events up to one version and from the restaurant's profile
when the order was placed; they hold no personal data of the customer. ``issuing`` keeps them in documents, by order and
version: the first one stored stays. ``sheet`` turns the facts into rows of text, and ``html``, ``pdf`` and ``text``
print the same rows. jinja2 and fpdf2 are imported when a receipt is printed.
"""
