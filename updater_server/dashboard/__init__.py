"""One page that shows what the fleet is doing. For `app`; it only reads."""

from updater_server.dashboard.page import Board, page

__all__ = ["Board", "page"]
