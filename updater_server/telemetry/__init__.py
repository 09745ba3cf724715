"""What terminals tell of themselves: counters by window, and "I restart now".

For the messages' face, which lays down what came in a spool, and for the worker, which takes it
from there into tables by day. Nothing here shares a transaction or a table with money; the worker's
months of airtime (`air`) lie beside it, and on SQLite hold its writers' lock for moments.

The format is docs/formats/metrics.md; the reasons are in docs/decisions/0056-telemetry.md.
"""
