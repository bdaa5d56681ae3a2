"""`python -m bench.farm_outages`: what the service does while something that it needs is away.

Redis stopped and frozen, the database restarted, disks that are full, a store that is stopped and
frozen: work is accepted, waits, and ends well; nothing that is half written is ever seen.
"""

import argparse
import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

from bench import farm_place, farm_web
from bench.farm_place import LAYOUT, TEMPLATE, Place
from bench.farm_watch import Watch
from bench.farm_web import Site
from bench.farm_workers import working
from tests.service.servers import S3, running

if TYPE_CHECKING:
    from docgen.backoffice.models import PrintJob

PUPILS = 30
LONGEST = 60  # seconds for work to end after what was away is back
SOON, AT_ONCE = 15.0, 1.0  # seconds promised: for work to run again, for a call to be answered
SMALL, LARGE = "32k", "64m"  # of disks: too small for a volume, and large enough


@dataclass(frozen=True, slots=True)
class Plan:
    """How many orders without a broker, for how long a store is frozen, how many processes."""

    calls: int = 40
    frozen: float = 13.0  # longer than a lease
    processes: int = 2


FULL, QUICK = Plan(), Plan(8, 3.0, 1)


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table; `is_kept` is None for what could not be tried here."""

    name: str
    told: str
    is_kept: bool | None


class Trials:
    """The outages, one after the other, on one place."""

    def __init__(self, place: Place, site: Site, school: str, calls: int) -> None:
        self.place, self.site, self.school, self.calls = place, site, school, calls
        self.rows: list[Row] = []

    def warm(self) -> None:
        """Have the site and the workers do once what loads their modules."""
        for _ in range(4):
            self._until([self._ordered()[0]])

    def broker(self, name: str, take: Callable[[], None], give: Callable[[], None]) -> None:
        """Order while the broker is away; the work runs when it is back."""
        take()
        try:
            jobs, seconds = zip(*(self._ordered() for _ in range(self.calls)), strict=True)
        finally:
            give()
        worst = max(seconds)
        back = self._until(jobs)
        told = f"{len(jobs)} orders, the slowest {worst * 1000:.0f} ms; done {back:.1f} s after"
        self.rows.append(Row(name, told, worst < AT_ONCE and back < SOON))

    def deaf(self) -> None:
        """Stop Redis while workers are busy, until they are done; they must hear bells again."""
        job = farm_place.accepted(farm_place.prepared(1, 400, volume=50), priority=5)
        _comes(lambda: job.volumes.filter(state="done").exists())
        self.place.redis.stop(signal.SIGKILL)
        self._until([job])
        time.sleep(1)
        self.place.redis.start()
        back = self._until([self._ordered()[0]])
        self.rows.append(Row("redis lost when busy", f"done {back:.1f} s after", back < SOON))

    def waits(self, name: str, take: Callable[[], None], give: Callable[[], None]) -> None:
        """Order while something is away, see the work wait, and end when it is back."""
        from docgen.backoffice.models import Volume

        take()
        try:
            job, _ = self._ordered()
            waiting = Volume.objects.filter(job=job, delays__gte=1)
            has_waited = _comes(waiting.exists)
        finally:
            give()
        back = self._until([job])
        (volume,) = Volume.objects.filter(job=job)
        told = f"waited {volume.delays} times; done {back:.1f} s after"
        is_kept = has_waited and back < LONGEST and not (volume.deaths or volume.lost)
        self.rows.append(Row(name, told, is_kept))

    def database(self) -> None:
        """Restart the database while a job is printed."""
        job = farm_place.accepted(farm_place.prepared(1, 400, volume=50), priority=5)
        _comes(lambda: job.volumes.filter(state="done").exists())
        self.place.postgres.stop(signal.SIGINT)
        time.sleep(1)
        self.place.postgres.start()
        back = self._until([job])
        self.rows.append(Row("database restarted", f"done {back:.1f} s after", back < LONGEST))

    def _ordered(self) -> "tuple[PrintJob, float]":
        from docgen.backoffice.models import PrintJob

        wanted = {"school": self.school, "template": TEMPLATE, "layout": LAYOUT, "on": "2026-09-14"}
        self.site.line.close()  # gunicorn lets go of who is silent for 2 s
        began = time.perf_counter()
        status, answer = self.site.ask("POST", "/api/v1/print-jobs", wanted)
        seconds = time.perf_counter() - began
        if status != 201:
            raise RuntimeError(f"an order was answered {status}")
        return PrintJob.objects.get(pk=answer["id"]), seconds

    def _until(self, jobs: "tuple[PrintJob, ...] | list[PrintJob]") -> float:
        """Give the seconds until these jobs are ready; infinity when they are not."""
        from docgen.backoffice.models import PrintJob

        began = time.perf_counter()
        ready = PrintJob.objects.filter(pk__in=[job.pk for job in jobs], stage="ready")
        is_done = _comes(lambda: ready.count() == len(jobs))
        return time.perf_counter() - began if is_done else float("inf")


def main() -> int:
    """Take away one thing after the other, print the table; 1 when a promise is not kept."""
    parser = argparse.ArgumentParser(prog="python -m bench.farm_outages", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer calls, shorter outages")
    options = parser.parse_args()
    with farm_place.opened() as place:
        rows = _tried(place, QUICK if options.quick else FULL)
    for row in rows:
        verdict = {True: "kept", False: "NOT KEPT", None: "not tried"}[row.is_kept]
        print(f"{row.name:<22} {row.told:<62} {verdict}")
    return 0 if all(row.is_kept is not False for row in rows) else 1


def _tried(place: Place, plan: Plan) -> list[Row]:
    from docgen.backoffice import registers, tokens
    from docgen.backoffice.api.access import SCOPES
    from docgen.backoffice.models import Role

    first = farm_place.prepared(0, PUPILS)
    first.run  # noqa: B018 - compiles the layout
    school = registers.keep_school(first.order.school, "bench")
    registers.keep_roster(school, "pupil", first.order.roster, "bench")
    _, token = tokens.issue("bench", Role.BACK_OFFICE, SCOPES, "bench")
    log = place.data / "log"
    with farm_web.served(token, log, plan.processes) as (port, site):
        farm_web.warm(port, token, school.pk)
        trials = Trials(place, site, school.pk, plan.calls)
        with Watch(place.data / "artifacts") as watch, working(plan.processes, log) as workers:
            workers.wait()
            trials.warm()
            trials.broker("redis stopped", _stopping(place), place.redis.start)
            trials.broker("redis frozen", place.redis.freeze, place.redis.thaw)
            trials.deaf()
            if plan is FULL:  # the short form leaves it to the chaos trial
                trials.database()
            for folder in ("artifacts", "working"):
                _full(trials, place.data / folder)
        told = f"{len(watch.seen)} files read as they appeared, {len(watch.halves)} of them halves"
        trials.rows.append(Row("half files", told, bool(watch.seen) and not watch.halves))
        _stores(trials, log, plan)
    return trials.rows


def _stopping(place: Place) -> Callable[[], None]:
    return lambda: place.redis.stop(signal.SIGKILL)


def _full(trials: Trials, folder: Path) -> None:
    name = f"disk full: {folder.name}"
    if os.geteuid() != 0:
        trials.rows.append(Row(name, "only root can mount a small disk", None))
        return
    folder.mkdir(exist_ok=True)
    with _mounted(folder):
        trials.waits(name, lambda: None, lambda: _mount(f"remount,size={LARGE}", folder))


@contextmanager
def _mounted(folder: Path) -> Iterator[None]:
    _mount(f"size={SMALL}", folder)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def _mount(options: str, folder: Path) -> None:
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    subprocess.run(command, check=True)


def _stores(trials: Trials, log: Path, plan: Plan) -> None:
    """Stop and freeze the S3 server of other workers, and look at what it then holds."""
    with running(S3) as (s3,):
        os.environ.update(s3.environment())
        with working(plan.processes, log) as workers:
            workers.wait()
            trials.waits("store stopped", s3.stop, s3.start)
            s3.freeze()
            job, _ = trials._ordered()
            time.sleep(plan.frozen)
            s3.thaw()
            back = trials._until([job])
            (volume,) = job.volumes.all()
            told = f"claimed {volume.token} times, lost {volume.lost}; done {back:.1f} s after"
            is_kept = back < LONGEST and not (volume.deaths or volume.lost)
            trials.rows.append(Row("store frozen", told, is_kept))
        spoilt = [
            name
            for name, content in cast(S3, s3).contents().items()
            if hashlib.sha256(content).hexdigest() != name.rpartition("/")[2]
        ]
        trials.rows.append(Row("store", f"{len(spoilt)} files spoilt", not spoilt))


def _comes(is_so: Callable[[], bool]) -> bool:
    """Wait for something to come true, for a while; a database that is away cannot tell."""
    import django.db

    end = time.monotonic() + LONGEST
    while time.monotonic() < end:
        try:
            if is_so():
                return True
        except django.db.Error:
            django.db.connection.close()
        time.sleep(0.05)
    return False


if __name__ == "__main__":
    sys.exit(main())
