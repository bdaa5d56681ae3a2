"""Whether the service lives, and whether it can do its work: for load balancers and `doctor`.

Without a database or a store nothing can be accepted: not ready. Without a broker or a worker,
requests are answered and work waits: degraded, and still ready.
"""

import shutil
from collections.abc import Callable

import django.db
from django.conf import settings
from django.core.files.storage import default_storage
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from kombu.exceptions import OperationalError

from docgen.backoffice import beats, queue, store

LEAST_FREE = 200 * 2**20  # bytes: a volume of 500 charters takes 2 MB, LibreOffice's profile 5
NOBODY = "0" * 64  # the name of an artifact that is not there


def live(request: HttpRequest) -> JsonResponse:
    """Say that the process answers, and ask nothing of anybody."""
    return JsonResponse({"status": "ok"})


def ready(request: HttpRequest) -> JsonResponse:
    """Say what the service needs and what of it is there: 503 when requests would fail."""
    needed = {
        "database": _tried(reach_database),
        "migrations": _tried(require_no_migration),
        "store": _tried(reach_store),
    }
    swept = None
    if needed["database"] == needed["migrations"] == "ok":
        swept = beats.last_sweep()
    wanted = {
        "broker": _tried(queue.reach),
        "workers": "ok" if swept is not None and swept < beats.ALIVE else "missing",
    }
    status = "ok" if set(wanted.values()) == {"ok"} else "degraded"
    if set(needed.values()) != {"ok"}:
        status = "unavailable"
    age = None if swept is None else round(swept, 1)
    content = {"status": status, **needed, **wanted, "last_sweep_seconds": age}
    return JsonResponse(content, status=503 if status == "unavailable" else 200)


def _tried(check: Callable[[], None]) -> str:
    try:
        check()
    except (django.db.Error, OperationalError, NotReady, *store.FAULTS):
        return "missing"
    return "ok"


class NotReady(Exception):
    """Something is there, and not as it must be."""


def reach_database() -> None:
    """Ask the database for an answer.

    Raises:
        django.db.Error: when there is none.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def pending_migrations() -> list[str]:
    """Give the migrations that the database has not seen."""
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [f"{migration.app_label}.{migration.name}" for migration, _ in plan]


def require_no_migration() -> None:
    """Make sure that the tables are those of this program.

    Raises:
        NotReady: when they are not.
        django.db.Error: when the database does not answer.
    """
    if pending_migrations():
        raise NotReady


def reach_store() -> None:
    """Ask the store for a file that it does not have, and see that there is room for others.

    Raises:
        OSError, BotoCoreError, ClientError: when it does not answer.
        NotReady: when this machine's disk is all but full.
    """
    default_storage.exists(store.name(NOBODY))
    if shutil.disk_usage(settings.DATA).free < LEAST_FREE:
        raise NotReady
