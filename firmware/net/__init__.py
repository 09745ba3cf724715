"""Roads to the server, in bytes; nothing here knows what a message says."""
