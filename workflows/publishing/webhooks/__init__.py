"""Webhooks: the published events of orders, sent to the URLs that backend services registered.

* ``endpoints``: what a service registered. ``deliveries``: one event for one endpoint, with its attempts. Both are
  documents.
* ``delivering``: takes published events, makes a delivery for each endpoint that wants it, attempts it, and tries again
  what failed; a schedule calls it every minute.
* ``signing`` signs a body; ``targets`` decides which URLs and addresses may be called; ``sender`` is the port to the
  outside, and ``http_sender`` calls over HTTP.

An event arrives at least once, and in no promised order. Nothing here is read by an order or delays one.
"""
