"""Who may look at the board and what is behind it, and how its pages are answered. For `board` and
`airtime`.
"""

from __future__ import annotations

from updater_server.faces.dashboard.board import POLICY
from updater_server.fleet import technicians

SEES = (technicians.VIEWER, technicians.RELEASE, technicians.OFFICE)
KINDS = {
    "html": "text/html; charset=utf-8",
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
}
HEADERS = {
    "content-security-policy": POLICY,
    "cache-control": "private, no-cache",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
}
