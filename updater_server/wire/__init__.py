"""Bytes from strangers: what a message, a seal or a journal record must look like, and the bounds
of each field. Pure; imports no other room, and no database.
"""
