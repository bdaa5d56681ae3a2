"""The Celery application: `celery -A workers.app worker`, started by `docgen worker`."""

import logging
import os
import warnings

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "docgen.backoffice.settings")
# Celery would have Django check everything, and so load every page of the site at each start.
os.environ.setdefault("CELERY_SKIP_CHECKS", "1")
django.setup()

from celery import signals  # noqa: E402
from celery.exceptions import SecurityWarning  # noqa: E402
from django.db import connections  # noqa: E402

from docgen.backoffice import beats, logs  # noqa: E402
from docgen.backoffice.queue import app  # noqa: E402
from workers import (  # noqa: E402
    attestations,
    children,
    chores,
    conventions,
    deliveries,
    hooks,
    inbox,
    mailbox,
    mails,
    print_jobs,
    scans,
    sweeping,
    working,
)

__all__ = [
    "app",
    "attestations",
    "conventions",
    "deliveries",
    "hooks",
    "mails",
    "print_jobs",
    "scans",
]
logger = logging.getLogger(__name__)
# Who is root and nobody else, in a container or on a bare machine, knows it; messages are JSON.
warnings.simplefilter("ignore", SecurityWarning)
_main = 0  # the process that forks those of the pool


@signals.setup_logging.connect
def _log_as_we_do(**_: object) -> None:
    """Keep Celery from setting logs up: Django's settings did."""
    logs.guard()


@signals.worker_init.connect
def _know_main(**_: object) -> None:
    global _main  # noqa: PLW0603 - one main process a worker
    _main = os.getpid()


@signals.worker_ready.connect
def _start_sweeper(**_: object) -> None:
    sweeping.start()
    chores.start()
    inbox.start()
    mailbox.start()
    logger.info("worker ready")


@signals.worker_shutting_down.connect
def _rest(**_: object) -> None:
    working.rest()
    logger.info("worker stops")


@signals.worker_shutdown.connect
def _say_goodbye(**_: object) -> None:
    beats.stop()


@signals.worker_process_init.connect
def _begin_process(**_: object) -> None:
    children.die_with(_main)  # else what a main process leaves behind works on for a minute
    connections.close_all()
