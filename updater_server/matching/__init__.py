"""Each night a day is held against all who know of it: the ledger, the terminals' journals, the
suppliers' own files. What does not agree is named and proposed to a person; nothing mends itself.
"""
