"""What runs before a release, and mends a terminal that has none. Immutable on the board."""
