"""Suppliers: who makes what the vault does not hold, one adapter a kind. An adapter turns an order
into the supplier's messages and its answers into outcomes; it knows no database and decides
nothing.

Each supplier has a line of its own (`lines`): its queue, its threads, its breaker. What one of them
does, or does not do, costs the others nothing.
"""
