"""The Celery application: `celery -A workers.app worker`, started by `docgen worker`."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "docgen.backoffice.settings")
django.setup()

from celery.signals import worker_process_init, worker_ready  # noqa: E402
from django.db import connections  # noqa: E402

from docgen.backoffice.queue import app  # noqa: E402
from workers import print_jobs, sweeping  # noqa: E402

__all__ = ["app", "print_jobs"]


@worker_ready.connect
def _start_sweeper(**_: object) -> None:
    sweeping.start()


@worker_process_init.connect
def _forget_connections(**_: object) -> None:
    connections.close_all()
