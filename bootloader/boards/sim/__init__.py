"""The simulated board, `board.py`, which a boot image has as `board`; pins and parts are hw_sim's."""
