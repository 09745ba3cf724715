"""The board's parts, one a file; nothing here knows what is sold, said or shown."""
