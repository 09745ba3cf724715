"""What people ask of past sales: a log in whatever order, and counts. Made from the ledger, never
the other way; it can be thrown away and made anew.
"""
