"""What only developers run: fonts, stubs, the emulated board, a TUF client; not for operators."""
