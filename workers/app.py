"""The Celery application: `celery -A workers.app worker`, started by `docgen worker`."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "docgen.backoffice.settings")
django.setup()

from celery.signals import worker_init, worker_process_init, worker_ready  # noqa: E402
from django.db import connections  # noqa: E402

from docgen.backoffice.queue import app  # noqa: E402
from workers import children, hooks, print_jobs, sweeping  # noqa: E402

__all__ = ["app", "hooks", "print_jobs"]
_main = 0  # the process that forks those of the pool


@worker_init.connect
def _know_main(**_: object) -> None:
    global _main  # noqa: PLW0603 - one main process a worker
    _main = os.getpid()


@worker_ready.connect
def _start_sweeper(**_: object) -> None:
    sweeping.start()


@worker_process_init.connect
def _begin_process(**_: object) -> None:
    children.die_with(_main)  # else what a main process leaves behind works on for a minute
    connections.close_all()
