"""The last release and the last server beside those of today: each speaks to the other."""
