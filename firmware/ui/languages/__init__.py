"""The words of the terminal, a language a file; only the one in use is in the heap."""
