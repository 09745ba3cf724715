"""The simulated board: what the terminal is made of; nothing of the product that runs on it.

Tests, tools and people start it; see `hw_sim.threaded.SimulatedBoard` and `python -m hw_sim`.
"""
