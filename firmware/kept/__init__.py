"""The small files that a terminal reads at its start, each replaced whole or not at all: no
decision on what is in them but whether it can be used.
"""
