"""For whoever watches the shop: `/healthz` says the process answers, `/readyz` whether it can work.

Each look has a thread of its own and a deadline, so that an answer comes in time whatever hangs; a look that still
hangs is not begun a second time.
"""

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe
from kombu import Connection
from kombu.exceptions import OperationalError

from notifications.outbox import measure_backlog

DEADLINE_SECONDS = 1.5  # promised: an answer within two

Check = Callable[[], Any]
logger = logging.getLogger(__name__)


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok", content_type="text/plain")


@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """Whether the shop can sell, within two seconds.

    `status`: *ready*; *degraded* (200) while the broker is away, since orders, payments and pages need none and mail
    waits in the database; *unavailable* (503) without the database or its migrations.
    """
    seen = run_checks({"database": _check_database, "broker": _is_broker_reachable})
    database = seen["database"] or {"database": False, "migrations": False, "outbox": None}
    broker = bool(seen["broker"])
    is_open = database["database"] and database["migrations"]
    status = "unavailable" if not is_open else "ready" if broker else "degraded"
    return JsonResponse({"status": status, **database, "broker": broker}, status=200 if is_open else 503)


def run_checks(looks: dict[str, Check]) -> dict[str, Any]:
    """What each look found; None for one that has found nothing by the deadline, or hangs since an earlier time."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    begun = {name: _start_check(name, look) for name, look in looks.items()}
    return {name: each.wait_until(deadline) if each else None for name, each in begun.items()}


class RunningCheck:
    """One look under way, in a thread that does not keep the process from ending."""

    def __init__(self, look: Check) -> None:
        self._look = look
        self._found: Any = None
        self.begun_at = time.monotonic()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def wait_until(self, deadline: float) -> Any:
        self.thread.join(max(0.0, deadline - time.monotonic()))
        return None if self.thread.is_alive() else self._found

    def _run(self) -> None:
        try:
            self._found = self._look()
        except Exception:
            logger.exception("A look at whether the shop is ready broke off")


_running_checks: dict[str, RunningCheck] = {}
_start_lock = threading.Lock()


def _start_check(name: str, look: Check) -> RunningCheck | None:
    """None while an earlier one hangs: whoever asks often must not fill the process with threads."""
    with _start_lock:
        earlier = _running_checks.get(name)
        if earlier and earlier.thread.is_alive() and time.monotonic() - earlier.begun_at > DEADLINE_SECONDS:
            return None
        _running_checks[name] = RunningCheck(look)
        return _running_checks[name]


def _check_database() -> dict[str, Any] | None:
    """Over a connection of its own, closed again. None when there is no database."""
    try:
        executor = MigrationExecutor(connection)
        is_migrated = not executor.migration_plan(executor.loader.graph.leaf_nodes())
        return {"database": True, "migrations": is_migrated, "outbox": measure_backlog() if is_migrated else None}
    except DatabaseError:
        return None
    finally:
        connection.close()


def _is_broker_reachable() -> bool:
    try:
        with Connection(settings.CELERY_BROKER_URL, connect_timeout=1) as broker:
            broker.ensure_connection(max_retries=1, timeout=1)
    except (OperationalError, OSError):
        return False
    return True
