"""Whether the log is still what was recorded.

``verify`` walks every stream (``stream_walk``) and reports ``findings``, with the customers' keys (``key_audit``) and
the heads that were published before. ``merkle`` computes tree heads and proofs.
"""
