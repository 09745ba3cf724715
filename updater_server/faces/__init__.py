"""Who may ask the server something over HTTP, and how: one face for terminals, for technicians, for
the office, for files. They check the asker, open the transaction and answer; the rules are in the
rooms below.
"""
