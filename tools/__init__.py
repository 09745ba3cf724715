"""Command lines for people: the release manager's (`release`), the technician's (`technician`)
and the developers' own (`lab`). Nothing here runs on a terminal or in the server.
"""
