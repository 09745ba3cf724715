"""The steps in order, each one transaction that cannot end half-way. None imports product code, so
that each does for ever what it did.
"""
