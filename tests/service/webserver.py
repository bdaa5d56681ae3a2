"""The service behind a real web server: gunicorn, several threads, on the tests' own database."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from django.db import connection

from tests import helpers

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 60  # seconds to start, on a busy machine
ENDING = 10


@contextmanager
def running() -> Iterator[tuple[str, int]]:
    """Start the web server, and give its address."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        place = listener.getsockname()
        listener.set_inheritable(True)
        environment = os.environ | {
            "DATABASE_URL": database(),
            "DOCGEN_PUBLIC_URL": f"http://{place[0]}:{place[1]}",
            "DOCGEN_TEMPLATES": str(helpers.SHELF),
            "PYTHONPATH": str(ROOT),
        }
        command = [
            *(sys.executable, "-m", "gunicorn", "docgen.backoffice.wsgi"),
            *("--bind", f"fd://{listener.fileno()}", "--workers", "2", "--preload"),
            *("--worker-class", "gthread", "--threads", "16", "--timeout", "90"),
        ]
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, pass_fds=(listener.fileno(),)
        )
    try:
        _wait(place, process)
        yield place
    finally:
        process.terminate()
        try:
            process.wait(ENDING)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def database() -> str:
    """Give the address of the tests' database."""
    name = connection.settings_dict["NAME"]
    if connection.vendor == "sqlite":
        return f"sqlite:///{name}"
    return urlunsplit(urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}"))


def _wait(place: tuple[str, int], process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and process.poll() is None:
        with socket.create_connection(place, timeout=PATIENCE) as caller:
            caller.sendall(b"GET /health/live HTTP/1.0\r\nHost: localhost\r\n\r\n")
            if b" 200 " in caller.recv(20):
                return
        time.sleep(0.2)
    raise TimeoutError(f"the web server did not answer (exit code {process.poll()})")
