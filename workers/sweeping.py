"""The sweeper: it rings again for work that waits, whatever became of the first bell."""

import logging
import threading
import time

import django.db
from django.db.models import Model

from docgen.backoffice import beats, claims, queue
from docgen.backoffice.models import Attestation, Conversion, HookCall, Volume
from workers import working

EVERY = 3  # seconds
BELLS = 8  # that hang at a time; whoever wakes up goes on by itself
KINDS: tuple[tuple[str, type[Model]], ...] = (
    (queue.PRINT, Volume),
    (queue.ATTEST, Attestation),
    (queue.WORD, Conversion),
    (queue.CALL, HookCall),
)
logger = logging.getLogger(__name__)


def sweep() -> int:
    """Ring for what is due; give how many bells were rung.

    Raises:
        kombu.exceptions.OperationalError: when the broker cannot be reached.
    """
    rung = 0
    for task, model in KINDS:
        due = model._default_manager.filter(claims.is_due()).order_by("priority", "id")
        waiting = list(due.values_list("pk", flat=True)[:BELLS])
        wanted = len(waiting) - queue.hanging(queue.LINES[task]) if waiting else 0
        for identifier in waiting[: max(wanted, 0)]:
            queue.ring_now(task, identifier)
            rung += 1
    return rung


def start() -> threading.Thread:
    """Sweep for ever, in a thread of the worker's main process."""
    thread = threading.Thread(target=_sweep_on, name="sweeper", daemon=True)
    thread.start()
    return thread


def _sweep_on() -> None:
    while True:
        time.sleep(EVERY)
        try:
            working.tidy()
            beats.beat()
            sweep()
        except Exception as error:  # the broker or the database is away: the next sweep will tell
            logger.warning("sweep failed", extra={"error": type(error).__name__})
        finally:
            django.db.connections.close_all()
