"""The RP2350 board: `board.py`, its flash driver, its interpreter's start; nothing of another board."""
