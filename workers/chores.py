"""The chores of workers: whoever is first takes away what is old, and reminds of what is late."""

import logging
import threading
import time
from datetime import timedelta

import django.db
from django.utils import timezone

from docgen.backoffice import beats, housekeeping, reminders
from docgen.backoffice.logs import told

FIRST, EVERY = 60, 600  # seconds; a worker that has just begun has better to do
logger = logging.getLogger(__name__)


def start() -> threading.Thread:
    """Look for the chore for ever, in a thread of the worker's main process."""
    thread = threading.Thread(target=_go_on, name="chores", daemon=True)
    thread.start()
    return thread


def _go_on() -> None:
    time.sleep(FIRST)
    while True:
        do()
        time.sleep(EVERY)


def do() -> None:
    """Purge if nobody did today, and remind; what goes wrong is told, and tried again later."""
    for name, chore in (("purge", _purge), ("reminders", _remind)):
        try:
            chore()
        except Exception as error:  # a store that is away, a setting that is none: not fatal
            logger.warning("%s failed", name, extra=told(error))
        finally:
            django.db.connections.close_all()


def _purge() -> None:
    for each in housekeeping.purge_daily():
        if each.rows or each.files:
            facts = {"kind": each.kind, "rows": each.rows, "files": each.files}
            logger.info("purged", extra=facts)


def _remind() -> None:
    """Remind soon after midnight, whenever a worker began: told once, looked for every hour."""
    if beats.take("reminders", timedelta(hours=1)):
        count = len(reminders.raise_due(timezone.localdate()))
        logger.info("reminded", extra={"count": count})
