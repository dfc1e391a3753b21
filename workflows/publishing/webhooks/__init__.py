"""Webhooks: the published events of orders, sent to the URLs that backend services registered.

* ``endpoints``: the URLs that services registered, with their secrets. ``deliveries``: one event for one endpoint, with
  its attempts. Both are documents.
* ``delivering``: takes published events, makes a delivery for each endpoint that receives its type, and attempts it; a
  schedule calls it every minute to attempt failed deliveries again.
* ``signing`` signs a body; ``targets`` decides which URLs and addresses may be called; ``sender`` is the port to the
  outside, and ``http_sender`` calls over HTTP.

An event arrives at least once, and in no promised order. No order reads any of this or waits for it.
"""
