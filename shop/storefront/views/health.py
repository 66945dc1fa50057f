"""For whoever watches the shop: `/healthz` says the process answers, `/readyz` that it can work."""

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe
from kombu.exceptions import OperationalError

from notifications.outbox import backlog
from shop.celery import app


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok", content_type="text/plain")


@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """200 when database, migrations and broker are there, 503 otherwise; and how the outbox stands."""
    state = {"database": _database(), "migrations": _migrated(), "broker": _broker()}
    is_ready = all(state.values())
    return JsonResponse({**state, "outbox": _outbox()}, status=200 if is_ready else 503)


def _outbox() -> dict[str, int] | None:
    try:
        return backlog()
    except DatabaseError:
        return None


def _database() -> bool:
    try:
        connection.ensure_connection()
    except DatabaseError:
        return False
    return True


def _migrated() -> bool:
    try:
        executor = MigrationExecutor(connection)
        return not executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError:
        return False


def _broker() -> bool:
    try:
        with app.connection_for_read(connect_timeout=1) as broker:
            broker.ensure_connection(max_retries=1, timeout=1)
    except OperationalError:
        return False
    return True
