"""The RP2350 board: `board.py`, its flash driver, its start; nothing of another board."""
