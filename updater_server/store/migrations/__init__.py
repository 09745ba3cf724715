"""How the schema came to be, for Alembic alone: one file a step, which is never changed once it ran
anywhere.
"""
