"""The board, the pipeline, and what befalls a fleet."""
