"""The site while the farm works: what its light pages take, and a document for the counter."""

import http.client
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.farm_place import LAYOUT, TEMPLATE
from bench.farm_workers import ROOT
from tests.service.servers import free_port

STARTING = 30  # seconds
BETWEEN = 0.1  # seconds between two light requests
COUNTER_EVERY = 4.0
WARM = 8  # connections, of which each process of the site takes some
COUNTER_LONGEST = 30.0


class Site:
    """A client of the API over one connection."""

    def __init__(self, port: int, token: str) -> None:
        self.line = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> tuple[int, Any]:
        """Ask, and give the status and the answer."""
        content = json.dumps(body).encode() if body is not None else None
        self.line.request(method, path, content, self.headers)
        answer = self.line.getresponse()
        text = answer.read()
        return answer.status, json.loads(text) if text else None


@contextmanager
def served(token: str, log: Path, processes: int = 2) -> Iterator[tuple[int, Site]]:
    """Serve the site, as a farm's machine for the web would."""
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "-c", "python:docgen.backoffice.serving"]
    command += ["--bind", f"127.0.0.1:{port}", "--workers", str(processes)]
    with log.open("ab") as stream:
        process = subprocess.Popen(command, cwd=ROOT, stdout=stream, stderr=stream, env=os.environ)
    try:
        site = Site(port, token)
        end = time.monotonic() + STARTING
        while True:
            try:
                site.ask("GET", "/health/live")
                break
            except OSError:
                if time.monotonic() > end or process.poll() is not None:
                    raise
                site.line.close()
                time.sleep(0.2)
        yield port, site
    finally:
        process.terminate()
        process.wait(STARTING)


@dataclass
class Waits:
    """Seconds that were waited: for light pages, and for documents at the counter."""

    pages: list[float] = field(default_factory=list)
    counter: list[float] = field(default_factory=list)
    refused: list[int] = field(default_factory=list)


class Visitors:
    """Somebody who looks at pages, and somebody who waits at the counter, until told to leave."""

    def __init__(self, port: int, token: str, school: str, person: int) -> None:
        self.waits = Waits()
        self.place = (school, person)
        self._over = threading.Event()
        self._threads = [
            threading.Thread(target=self._look, args=(Site(port, token),)),
            threading.Thread(target=self._wait, args=(Site(port, token),)),
        ]
        for thread in self._threads:
            thread.start()

    def leave(self) -> None:
        """Go, when the last answer is there."""
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _look(self, site: Site) -> None:
        while not self._over.wait(BETWEEN):
            for page in light_pages(self.place[0]):
                began = time.perf_counter()
                status, _ = site.ask("GET", page)
                self.waits.pages.append(time.perf_counter() - began)
                if status != 200:
                    self.waits.refused.append(status)

    def _wait(self, site: Site) -> None:
        while not self._over.wait(COUNTER_EVERY):
            began = time.perf_counter()
            status = _at_counter(site, *self.place)
            self.waits.counter.append(time.perf_counter() - began)
            if status != 201:
                self.waits.refused.append(status)


def warm(port: int, token: str, school: str) -> None:
    """Have every process of the site answer what loads its modules."""
    for _ in range(WARM):
        site = Site(port, token)
        for page in (*light_pages(school), "/api/v1/templates"):
            site.ask("GET", page)
        site.line.close()


def warm_counter(port: int, token: str, school: str, person: int) -> None:
    """Have every process of the site, and of the farm, make a document for the counter."""
    for _ in range(WARM):
        _at_counter(Site(port, token), school, person)


def _at_counter(site: Site, school: str, person: int) -> int:
    """Order a document for one person and wait for it; give the status of the order."""
    asked = {"template": TEMPLATE, "layout": LAYOUT, "on": "2026-09-14"}
    site.line.close()  # gunicorn lets go of who is silent for 2 s
    end = time.perf_counter() + COUNTER_LONGEST
    status, job = site.ask("POST", f"/api/v1/schools/{school}/people/{person}/documents", asked)
    while status == 201 and job["stage"] != "ready" and time.perf_counter() < end:
        time.sleep(0.1)
        _, job = site.ask("GET", f"/api/v1/print-jobs/{job['id']}")
    return status


def light_pages(school: str) -> tuple[str, ...]:
    """Give what somebody looks at."""
    return ("/api/v1/print-jobs?limit=20", f"/api/v1/schools/{school}")


def part(values: list[float], share: float) -> float:
    """Give the value that this share of the values does not pass (nearest rank)."""
    ranked = sorted(values)
    return ranked[max(round(share * len(ranked) + 0.5) - 1, 0)] if ranked else float("inf")
