"""Simulated suppliers: programs of their own that make what is sold to a number, and misbehave by
seed. They know what suppliers know, and nothing of who asks them.
"""
