"""The fleet's server: signed channels, terminals, sales and their ledger. CPython only; nothing
here runs on a terminal.

`channels` is also a library for the release manager's tools; the rest is for the server process
alone.
"""
