"""What only developers run: fonts, stubs, the emulated board, a TUF client; nothing for operators."""
