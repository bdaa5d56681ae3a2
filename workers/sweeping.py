"""The sweeper: it rings again for work that waits, whatever became of the first bell."""

import logging
import threading
import time

import django.db
from django.db.models import Model

from docgen.backoffice import beats, claims, imports, queue, receipts
from docgen.backoffice.models import (
    Attestation,
    Binding,
    Conversion,
    Delivery,
    HookCall,
    Mail,
    Message,
    ScanPart,
    Volume,
)
from workers import working

EVERY = 3  # seconds
BELLS = 8  # of a kind that hang at a time; whoever wakes up goes on by itself
MOST = 64  # bells of a line that hang: more would say nothing new
KINDS: tuple[tuple[str, type[Model]], ...] = (
    (queue.PRINT, Volume),
    (queue.ATTEST, Attestation),
    (queue.READ, ScanPart),
    (queue.BIND, Binding),
    (queue.WORD, Conversion),
    (queue.CALL, HookCall),
    (queue.COMPOSE, Delivery),
    (queue.SEND, Message),
    (queue.READ_MAIL, Mail),
)
logger = logging.getLogger(__name__)


def sweep() -> int:
    """Ring for what is due; give how many bells were rung. Files of people wait for an hour.

    Raises:
        kombu.exceptions.OperationalError: when the broker cannot be reached.
    """
    imports.sweep()
    rung = 0
    for task, model in KINDS:
        due = model._default_manager.filter(claims.is_due()).order_by("priority", "id")
        waiting = list(due.values_list("pk", flat=True)[:BELLS])
        for identifier in waiting[: _wanted(task) if waiting else 0]:
            queue.ring_now(task, identifier)
            rung += 1
    if receipts.due() and _wanted(queue.RECEIPTS):
        queue.ring_now(queue.RECEIPTS, "")
        rung += 1
    return rung


def _wanted(task: str) -> int:
    """Tell how many bells to ring: one at least, for kinds of work share a line."""
    hanging = queue.hanging(queue.LINES[task])
    return max(BELLS - hanging, 1) if hanging < MOST else 0


def start() -> threading.Thread:
    """Sweep for ever, in a thread of the worker's main process."""
    thread = threading.Thread(target=_sweep_on, name="sweeper", daemon=True)
    thread.start()
    return thread


def _sweep_on() -> None:
    while True:
        try:
            working.tidy()
            beats.beat()
            sweep()
        except Exception as error:  # the broker or the database is away: the next sweep will tell
            logger.warning("sweep failed", extra={"error": type(error).__name__})
        finally:
            django.db.connections.close_all()
        time.sleep(EVERY)
