"""A folder a board: its board object and what is frozen with it; no decision is made here."""
