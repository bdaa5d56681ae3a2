"""How long the screens take, and how much they send, where a whole region is kept.

`python -m bench.web` fills 200 schools with 60,000 people and 300,000 documents on PostgreSQL
(`--sqlite`: on SQLite), opens every screen as everybody who may, each list searched, filtered,
sorted and turned to its last page too, and ends with 1 when a page takes over 200 ms or 300 KB.
"""

import argparse
import os
import pickle
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import django

from bench.web_page import Read, ways
from tests.service.servers import Postgres

if TYPE_CHECKING:
    from django.http.response import HttpResponseBase
    from django.test import Client

    from tests.service.world import World

LEAST_RUNS, RUNS = 3, 5  # the more of a page that may be too slow
MOST_MS, MOST_KB = 200, 300  # issue 7
TOLD = 40  # rows of the table


@dataclass(frozen=True, slots=True)
class Timed:
    """A page as it was measured; `kb` is what is sent at the first visit, files of pages packed.

    `cpu` is what we and the database worked on it at least: whoever else loads the machine is not
    in it. A file that is downloaded (`is_page` false) is told beside the pages, held to nothing.
    """

    name: str
    is_page: bool
    median: float
    worst: float
    cpu: float
    queries: int
    page_kb: float
    kb: float

    @property
    def is_good(self) -> bool:
        """Tell whether it is as quick and as light as was promised."""
        return not self.is_page or (self.median <= MOST_MS and self.kb <= MOST_KB)

    def __str__(self) -> str:
        mark = ("  " if self.is_page else " f") if self.is_good else "!!"
        return (
            f"{mark} {self.median:7.0f} {self.worst:7.0f} {self.cpu:6.0f} {self.queries:5} "
            f"{self.page_kb:7.0f} {self.kb:7.0f}  {self.name}"
        )


def main() -> int:
    """Measure in a process of its own, beside a database of its own; give the exit code."""
    told = _read()
    if told.measure:
        return measure(told)
    with _folder(told.kept) as folder:
        ours = {k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "BROKER_URL")}
        environment = {**ours, "DJANGO_SETTINGS_MODULE": "docgen.backoffice.settings"}
        environment |= {"DOCGEN_DATA": str(folder / "data"), "DOCGEN_LOG_LEVEL": "ERROR"}
        environment |= {"DOCGEN_HOSTS": "testserver"}
        command = [sys.executable, "-m", "bench.web", "--measure", *sys.argv[1:]]
        if told.sqlite:
            return subprocess.run(command, env=environment, check=False).returncode
        (folder / "postgres").mkdir(exist_ok=True)
        server = Postgres(folder / "postgres")
        try:
            server.start()
            environment |= server.environment()
            return subprocess.run(command, env=environment, check=False).returncode
        finally:
            server.stop()


def _read() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench.web", description=__doc__)
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--sqlite", action="store_true", help="on SQLite")
    parser.add_argument("--small", action="store_true", help="some schools: to try the measure")
    parser.add_argument(
        "--kept", type=Path, help="a folder that keeps the region: empty it when tables change"
    )
    parser.add_argument("--only", default="", help="the routes whose name holds this")
    return parser.parse_args()


@contextmanager
def _folder(kept: Path | None) -> Iterator[Path]:
    """Give a folder for the region: the one to keep, or one that goes away."""
    if kept:
        kept.mkdir(parents=True, exist_ok=True)
        yield kept.absolute()
        return
    with tempfile.TemporaryDirectory(prefix="docgen-web-") as folder:
        Path(folder).chmod(0o755)  # the database has an account of its own
        yield Path(folder)


def measure(told: argparse.Namespace) -> int:
    """Fill the tables and open everything; give 0 when all of it holds."""
    django.setup()
    from tests import helpers

    os.environ["DOCGEN_TEMPLATES"] = str(helpers.SHELF)  # beside our own templates
    start = time.perf_counter()
    found, failed = opened(_world(told), told.only)
    found.sort(key=lambda each: -each.median)
    bad = [each for each in found if not each.is_good]
    for problem in failed:
        print(f"!! {problem}")
    print("    median   worst    cpu quer.   page   first  (ms, KB)")
    for line in [*found[:TOLD], *(each for each in bad if each not in found[:TOLD])]:
        print(line)
    pages = [each for each in found if each.is_page]
    heaviest = max(pages, key=lambda each: each.kb, default=None)
    print(f"{len(found)} addresses in {time.perf_counter() - start:.0f} s;", end=" ")
    print(f"{len(bad)} too slow or too heavy, {len(failed)} not opened;", end=" ")
    print(f"the heaviest page: {heaviest.name if heaviest else 'none'}")
    return 1 if bad or failed or not pages else 0


def _world(told: argparse.Namespace) -> "World":
    """Fill the region, or take the one that was kept."""
    from django.core.management import call_command

    from bench import web_town

    file = told.kept / "world.pickle" if told.kept else None
    if file and file.exists():
        call_command("migrate", verbosity=0)
        made: World = pickle.loads(file.read_bytes())  # noqa: S301 - written below
        return made
    call_command("migrate", verbosity=0)
    made = web_town.settle(is_small=told.small)
    if file:
        file.write_bytes(pickle.dumps(made))
    return made


def opened(world: "World", only: str) -> tuple[list[Timed], list[str]]:
    """Open every screen as everybody who may, and its list in every way as the first of them.

    Give what was measured, and what could not be.
    """
    from tests.service.screen_table.rows import CALLERS
    from tests.service.screen_walk import GETS, browser, expected, place
    from tests.service.world import filled

    browsers = {name: browser(world.people[name]) for name in CALLERS}
    found, failed, files = [], [], dict[str, int]()
    for route, row in GETS.items():
        if only not in route:
            continue
        where = place(route, world.arles) + str(filled(row.query, world.arles))
        may = [each for each in CALLERS if expected(row, each) == row.good]
        for caller in may:
            answer = browsers[caller].get(where)
            if answer.status_code >= 400:
                failed.append(f"{caller}: {route}: {answer.status_code}")
                continue
            read = Read(_text(answer))
            found.append(_timed(browsers[caller], where, f"{route}, {caller}", files))
            for way in ways(read, where) if caller == may[0] else ():
                name = f"{route}, {caller}: {way.partition('?')[2]}"
                found.append(_timed(browsers[caller], way, name, files))
    return found, failed


def _timed(client: "Client", where: str, name: str, files: dict[str, int]) -> Timed:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as queries:
        first = client.get(where)
        size = _size(first)
    asked = len(queries)  # now: the next request begins another count
    loads = Read(_text(first)).loads
    spent, times, works = _clock(), list[float](), list[float]()
    while len(times) < LEAST_RUNS or (len(times) < RUNS and statistics.median(times) > MOST_MS / 2):
        start, worked = time.perf_counter(), spent()
        _size(client.get(where))
        times.append((time.perf_counter() - start) * 1000)
        works.append((spent() - worked) * 1000)
    for each in loads - files.keys():
        files[each] = _size(client.get(each, headers={"Accept-Encoding": "gzip"}))
    weight = size + sum(files[each] for each in loads)
    is_page = first.headers.get("Content-Type", "").startswith("text/html")
    figures = statistics.median(times), max(times), min(works), asked
    return Timed(name, is_page, *figures, size / 1000, weight / 1000)


def _clock() -> Callable[[], float]:
    """Give what tells the seconds that this process and its database worked."""
    from django.db import connection

    if connection.vendor != "postgresql":
        return time.process_time
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        place = Path(f"/proc/{cursor.fetchone()[0]}/schedstat")
    return lambda: time.process_time() + int(place.read_text().split()[0]) / 1e9


def _size(answer: Any) -> int:  # noqa: ANN401 - of the test client
    return len(answer.getvalue())


def _text(answer: "HttpResponseBase") -> bytes:
    """Give a page; nothing of what is no page."""
    if answer.streaming or not answer.headers.get("Content-Type", "").startswith("text/html"):
        return b""
    return bytes(answer.getvalue())


if __name__ == "__main__":
    sys.exit(main())
