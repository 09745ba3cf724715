"""Ciphers, hashes and signatures in plain Python; no format of ours, and no file or flash."""
