"""Does the money add up? Asked by the worker every ten minutes, from where a check last found all
of it right, so that the board can show it without asking. For `worker`.
"""

from __future__ import annotations

from updater_server.lookout.picture import Books
from updater_server.sales import check_points, checks
from updater_server.service import Service
from updater_server.store.engine import reading, writing

EVERY_S = 600
_SHOWN = 20


def look(service: Service) -> Books:
    """What is wrong with the books now; where nothing is, they are closed at this point, as `check`
    does.
    """
    with reading(service.engine, still=True) as connection:
        since, at, _ = check_points.newest(connection, service.key)
        found = checks.problems(connection, since)
        reached = None if found else checks.now(connection, since)
    now = service.now()
    if reached is not None and reached != since:
        with writing(service.engine) as connection:
            check_points.close(connection, service.key, reached, now)
    return Books(found[:_SHOWN], at)
