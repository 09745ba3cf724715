"""What terminals tell of themselves: counters by window, and "I restart now".

For the messages' face, which lays down what came in a spool, and for the worker, which takes it
from there into tables by day. Nothing here shares a transaction, a table or a lock with money.

The format is docs/formats/metrics.md; the reasons are in docs/decisions/0056-telemetry.md.
"""
