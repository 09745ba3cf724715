"""The simulated board: what the terminal is made of, without the product that runs on it.

Tests, tools and people start it; see `hw_sim.board.SimulatedBoard` and `python -m hw_sim`.
"""
