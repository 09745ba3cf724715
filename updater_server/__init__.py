"""The fleet's server: signed channels, terminals, sales and their ledger. CPython only; nothing
here runs on a terminal.

`channels` is also a library for the release manager's tools; the rest is for the server process
alone.
"""

import os

# numpy reads it when it is first imported. Its threads wait by spinning: for arms of a thousand
# terminals a second one only burns what the server's other processes need.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
