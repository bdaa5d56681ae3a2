"""`python -m bench.farm`: a region's batch through the farm, beside the bare press in one run.

Two workers, PostgreSQL and Redis on this machine's cores, files in a folder; meanwhile somebody
looks at pages of the site and somebody waits at the counter for a document.
"""

import argparse
import csv
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from bench import farm_place, farm_web
from bench.farm_place import Place
from bench.farm_workers import Workers, working
from docgen import jobfolder
from docgen.press import Job
from docgen.rendering.printfile import bind

LONGEST = 600  # seconds for the farm
EVERY = 0.25
MOST_RATIO, MOST_MEMORY, MOST_PAGE, MOST_COUNTER = 2.0, 500.0, 0.3, 3.0


@dataclass(frozen=True, slots=True)
class Plan:
    """How many schools, of how many pupils, through how many workers."""

    schools: int = 200
    pupils: int = 300
    workers: int = 2


FULL, QUICK = Plan(), Plan(schools=20, pupils=100)


@dataclass
class Found:
    """What was measured."""

    bare: float = 0.0
    bare_processor: float = 0.0
    accepted: float = 0.0
    farm: float = 0.0
    documents: int = 0
    unfinished: int = 0
    memory: dict[str, float] = field(default_factory=dict)
    waits: farm_web.Waits = field(default_factory=farm_web.Waits)

    @property
    def ratio(self) -> float:
        """How many times the bare press's time the farm takes."""
        return self.farm / self.bare

    @property
    def is_kept(self) -> bool:
        """Tell whether every promise is kept."""
        return (
            self.ratio <= MOST_RATIO
            and max(self.memory.values()) < MOST_MEMORY
            and farm_web.part(self.waits.pages, 0.99) < MOST_PAGE
            and max(self.waits.counter, default=float("inf")) < MOST_COUNTER
            and not self.waits.refused
            and not self.unfinished
        )


def main() -> int:
    """Read the options, measure, print the table; 1 when a promise is not kept."""
    parser = argparse.ArgumentParser(prog="python -m bench.farm", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="20 schools of 100 pupils")
    options = parser.parse_args()
    with farm_place.opened() as place:
        found = _measured(place, QUICK if options.quick else FULL)
    _print(found)
    return 0 if found.is_kept else 1


def _measured(place: Place, plan: Plan) -> Found:
    from docgen.backoffice import registers, tokens
    from docgen.backoffice.api.access import SCOPES
    from docgen.backoffice.models import Role

    found = Found(documents=plan.schools * plan.pupils)
    jobs = [farm_place.prepared(n, plan.pupils) for n in range(plan.schools)]
    counter = farm_place.prepared(plan.schools, 30)
    school = registers.keep_school(counter.order.school, "bench")
    registers.keep_roster(school, "pupil", counter.order.roster, "bench")
    person = school.people.order_by("id")[0]
    _, token = tokens.issue("bench", Role.BACK_OFFICE, SCOPES, "bench")
    found.bare, found.bare_processor = _pressed(jobs)
    log = place.data / "log"
    with farm_web.served(token, log) as (port, _), working(plan.workers, log) as workers:
        workers.wait()
        farm_web.warm(port, token, school.pk)
        farm_web.warm_counter(port, token, school.pk, person.pk)
        visitors = farm_web.Visitors(port, token, school.pk, person.pk)
        memory = Memory(workers)
        try:
            _through_farm(jobs, found)
        finally:
            visitors.leave()
            found.memory = memory.stop()
    found.waits = visitors.waits
    return found


def _pressed(jobs: list[Job]) -> tuple[float, float]:
    """Press every job as `docgen press` does, into folders, but for the ticket: wall, processor."""
    jobs[0].run  # noqa: B018 - compiles the layout, as was done before for the farm too
    wall, processor = time.perf_counter(), time.process_time()
    with tempfile.TemporaryDirectory() as name:
        for job in jobs:
            folder = Path(name) / jobfolder.name(job)
            folder.mkdir()
            documents, number = job.documents(), 0
            with (folder / jobfolder.MANIFEST).open("w", encoding="utf-8", newline="") as stream:
                rows = csv.writer(stream, lineterminator="\n")
                while batch := list(islice(documents, job.order.volume)):
                    number += 1
                    file = f"{folder.name}-{number:03}.pdf"
                    with (folder / file).open("wb") as pdf:
                        volume = bind(job.run, batch, pdf)
                    rows.writerows(jobfolder.register(file, volume))
            del job.run
    return time.perf_counter() - wall, time.process_time() - processor


def _through_farm(jobs: list[Job], found: Found) -> None:
    from docgen.backoffice.models import PrintJob
    from docgen.backoffice.print_jobs import BATCH

    began = time.perf_counter()
    names = [farm_place.accepted(job, BATCH).pk for job in jobs]
    found.accepted = time.perf_counter() - began
    ready = PrintJob.objects.filter(pk__in=names, stage=PrintJob.Stage.READY)
    while (count := ready.count()) < len(names) and time.perf_counter() - began < LONGEST:
        time.sleep(EVERY)
    found.farm = time.perf_counter() - began
    found.unfinished = len(names) - count


class Memory:
    """The most memory that each worker held: its main, its pool and its child together."""

    def __init__(self, workers: Workers) -> None:
        self.workers = workers
        self.most: dict[str, float] = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def stop(self) -> dict[str, float]:
        """Give the most that each worker held, in MB."""
        self._over.set()
        self._thread.join()
        return self.most

    def _watch(self) -> None:
        while not self._over.wait(EVERY):
            for number, family in enumerate(self.workers.families()):
                held = sum(_held(pid) for pids in family.values() for pid in pids)
                name = f"worker {number + 1}"
                self.most[name] = max(self.most.get(name, 0.0), held)


def _held(pid: int) -> float:
    """Give the memory of a process in MB, what it shares with others in parts (PSS)."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return next((int(line.split()[1]) / 1000 for line in lines if line.startswith("Pss:")), 0.0)


def _print(found: Found) -> None:
    pages, counter = found.waits.pages, found.waits.counter
    memory = ", ".join(f"{name} {most:.0f} MB" for name, most in sorted(found.memory.items()))
    lines = [
        ("documents", f"{found.documents:,}", ""),
        ("bare press", f"{found.bare:.1f} s on one core ({found.bare_processor:.1f} s busy)", ""),
        ("accepted", f"after {found.accepted:.1f} s", ""),
        ("through the farm", f"{found.farm:.1f} s", ""),
        ("ratio", f"{found.ratio:.2f}", f"<= {MOST_RATIO}"),
        ("jobs not ready", f"{found.unfinished}", "0"),
        ("peak memory", memory, f"< {MOST_MEMORY:.0f} MB each"),
        (
            "pages meanwhile",
            f"{len(pages)}: median {farm_web.part(pages, 0.5) * 1000:.0f} ms,"
            f" p99 {farm_web.part(pages, 0.99) * 1000:.0f} ms",
            f"< {MOST_PAGE * 1000:.0f} ms",
        ),
        (
            "at the counter",
            f"{len(counter)} documents: median {farm_web.part(counter, 0.5):.2f} s,"
            f" worst {max(counter, default=float('inf')):.2f} s",
            f"< {MOST_COUNTER:.0f} s",
        ),
        ("refused", f"{len(found.waits.refused)} requests", "0"),
    ]
    for name, text, promise in lines:
        print(f"{name:<18} {text:<58} {promise}".rstrip())


if __name__ == "__main__":
    sys.exit(main())
