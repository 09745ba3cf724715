"""Is a release on trial in the field harmful? Pass, hold or halt, as a pure function of records.

For the server's worker, and for whoever replays what it decided. Here live the records and what is
left of them once tidied, the expectation, the arms that other salts would have drawn, the boundary,
the interval for people and the hard rules: no database, no clock, no HTTP. numpy is imported by
this room only (docs/decisions/0051-verdict.md), so what imports it is the worker.

The method, its assumptions and what it cannot see: docs/verdict.md.
"""
