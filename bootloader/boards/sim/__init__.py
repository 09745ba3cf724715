"""The simulated board, `board.py`, in boot images as `board`; pins and parts are hw_sim's."""
