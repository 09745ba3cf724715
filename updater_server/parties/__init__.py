"""Who owns what above the terminals: distributors, agents and merchants, their floats, what they
earn on what is sold under them, and days that are closed. Everything is posted to the one ledger.
"""
