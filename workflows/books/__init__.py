"""The books of all orders, and their reconciliation with the payment provider's statement.

Postings come from the views ``ledger`` and ``taxes``. ``summary`` adds them up in SQL: trial balance, holds, revenue,
tax and payables. ``statement`` reads and writes the provider's statement as CSV. ``recorded`` lists what the log says
about payments, and ``reconciliation`` compares the two and names each difference with what to do. Only ``summary``
needs the database; the comparison takes plain values, so that a file, the sandbox and a simulation are compared alike.
"""
