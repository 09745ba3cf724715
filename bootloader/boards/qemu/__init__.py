"""The emulated Cortex-M3: its chip in C, linker script, `board.py`; nothing of another board."""
