"""Modems: the AT chat, what is alike in all of them, and a file a dialect; no HTTP."""
