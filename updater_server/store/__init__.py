"""The database: its engine, its tables, its migrations. What the rows mean is for the rooms above;
nothing here imports them.
"""
