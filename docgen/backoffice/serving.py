"""How gunicorn runs the service: `gunicorn -c python:docgen.backoffice.serving`."""

import os
from typing import Any

from docgen.backoffice import logs
from docgen.backoffice.settings import LOGGING

wsgi_app = "docgen.backoffice.wsgi"
worker_class = "gthread"
threads = int(os.environ.get("DOCGEN_THREADS", "16"))  # each page that watches a job holds one
timeout = 60
graceful_timeout = 20  # systemd and `docgen serve` give more
accesslog = None  # its lines hold addresses; docgen.backoffice.metrics.Watch tells routes
logconfig_dict = LOGGING
control_socket_disable = True


def post_fork(server: object, worker: object) -> None:
    """Tell errors that nobody catches as all others are."""
    logs.guard()


def child_exit(server: object, worker: Any) -> None:  # noqa: ANN401
    """Forget the measures of a process that has ended."""
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        from prometheus_client.multiprocess import mark_process_dead

        mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]
