"""One page that shows what the fleet is doing. For
`faces.operator`; it only reads, and runs no script."""

from updater_server.faces.dashboard.page import Board, page

__all__ = ["Board", "page"]
