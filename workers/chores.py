"""The daily chore of workers: whoever is first takes away what was kept long enough."""

import logging
import threading
import time

import django.db

from docgen.backoffice import housekeeping
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
    """Purge if nobody did today; what goes wrong is told, and tried again tomorrow."""
    try:
        for each in housekeeping.purge_daily():
            if each.rows or each.files:
                facts = {"kind": each.kind, "rows": each.rows, "files": each.files}
                logger.info("purged", extra=facts)
    except Exception as error:  # a store that is away, a period that is not one: told, not fatal
        logger.warning("purge failed", extra=told(error))
    finally:
        django.db.connections.close_all()
