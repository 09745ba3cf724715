"""Money: the ledger, the voucher vault, online sales, stock for offline ones, and the terminals'
journals.

For the server process. Every function takes a connection inside a transaction of the caller's: what
happens together is committed together.
"""
