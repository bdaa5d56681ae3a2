"""`python -m bench.chaos`: print while everything is killed; count what is lost, doubled or spoilt.

PostgreSQL and Redis are real, workers are started again as systemd would, and what every volume
must be is pressed beforehand, alone and without a database.
"""

import argparse
import hashlib
import io
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from bench import farm_place
from bench.chaos_evil import STRIKES, Blows, Evil
from bench.farm_place import Place
from bench.farm_workers import working
from docgen.press import Job
from docgen.rendering.printfile import bind

if TYPE_CHECKING:
    from docgen.backoffice.models import PrintJob

QUICK_SECONDS, FULL_SECONDS = 90, 900


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is printed, and how many processes are killed meanwhile."""

    jobs: int = 20
    documents: int = 2000
    volume: int = 500
    kills: int = 200
    workers: int = 3
    seconds: float = FULL_SECONDS


FULL = Plan()
QUICK = Plan(3, 600, 100, 8, 2, QUICK_SECONDS)


@dataclass
class Findings:
    """What came out of it."""

    seconds: float = 0.0
    lost: int = 0
    duplicated: int = 0
    corrupt: int = 0
    stray: int = 0
    unfinished: int = 0
    claims: int = 0
    spared: int = 0
    facts: list[str] = field(default_factory=list)

    @property
    def is_sound(self) -> bool:
        """Tell whether all blows fell, and nothing at all is wrong."""
        wrong = self.lost, self.duplicated, self.corrupt, self.stray, self.unfinished
        return not any((*wrong, self.spared))


def main() -> int:
    """Read the options, do it, print the table; 1 when anything is wrong."""
    parser = argparse.ArgumentParser(prog="python -m bench.chaos", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer documents and fewer kills")
    parser.add_argument("--log", type=Path, help="where what workers say is kept")
    parser.add_argument("--seed", type=int, default=1, help="of the draw of what is killed")
    options = parser.parse_args()
    plan = QUICK if options.quick else FULL
    with farm_place.opened() as place:
        log = options.log or place.data / "workers.log"
        findings, blows = _trial(place, plan, options.seed, log)
    _print(plan, findings, blows)
    return 0 if findings.is_sound else 1


def _trial(place: Place, plan: Plan, seed: int, log: Path) -> tuple[Findings, Blows]:
    jobs = [farm_place.prepared(n, plan.documents, plan.volume) for n in range(plan.jobs)]
    expected = [undisturbed(job) for job in jobs]
    rows = [farm_place.accepted(job, priority=5) for job in jobs]
    began = time.monotonic()
    with working(plan.workers, log, ahead=1) as workers:
        evil = Evil(place, workers, plan.kills, _done, seed)
        try:
            _wait(plan.seconds)
        finally:
            evil.stop()
    findings = _judged(rows, expected, place)
    findings.seconds = time.monotonic() - began
    blows = evil.blows
    findings.spared = plan.kills - blows.kills.total() + len(STRIKES) - len(blows.strikes)
    findings.facts.append(f"{workers.starts} starts of workers")
    return findings, blows


def undisturbed(job: Job) -> list[tuple[str, list[str]]]:
    """Press a job alone: the SHA-256 of each volume, and the references of its documents."""
    documents = job.documents()
    made = []
    while batch := list(islice(documents, job.order.volume)):
        volume = bind(job.run, batch, io.BytesIO())
        made.append((volume.sha256, [each.document.copy.reference for each in volume.documents]))
    return made


def _done() -> float:
    """Tell which part of the volumes is finished, when the database can say so."""
    from django.db import Error, connection

    from docgen.backoffice.models import State, Volume

    try:
        states = Counter(Volume.objects.values_list("state", flat=True))
    except Error:
        connection.close()
        return 0.0
    return (states[State.DONE] + states[State.QUARANTINED]) / max(sum(states.values()), 1)


def _wait(seconds: float) -> None:
    end = time.monotonic() + seconds
    while _done() < 1 and time.monotonic() < end:
        time.sleep(0.2)


def _judged(
    rows: "list[PrintJob]", expected: list[list[tuple[str, list[str]]]], place: Place
) -> Findings:
    """Compare everything that is in the database and in the store with what must be there."""
    from docgen.backoffice import pressing, store
    from docgen.backoffice.models import Event, PrintJob, Volume

    found, named = Findings(), set[str]()
    for row, volumes in zip(rows, expected, strict=True):
        job = PrintJob.objects.get(pk=row.pk)
        found.unfinished += job.stage != PrintJob.Stage.READY
        made = list(Volume.objects.filter(job=job).order_by("number"))
        for volume, (sha256, _) in zip(made, volumes, strict=True):
            if volume.sha256:
                content = b"".join(store.blocks(volume.sha256))
                same = hashlib.sha256(content).hexdigest() == volume.sha256 == sha256
                found.corrupt += not same
                named |= {volume.sha256, volume.register}
            found.claims += volume.token
        wanted = Counter(reference for _, references in volumes for reference in references)
        lines = b"".join(pressing.manifest(job)).decode().splitlines()[1:]
        printed = Counter(line.split(",")[0] for line in lines)
        found.lost += (wanted - printed).total()
        found.duplicated += (printed - wanted).total()
        for kind, subject in (("job-ready", f"{job.pk}"), ("volume-printed", f"{job.pk}/")):
            told = Event.objects.filter(kind=kind, subject__startswith=subject).count()
            found.duplicated += max(told - (1 if kind == "job-ready" else len(volumes)), 0)
    kept = {path.name for path in place.data.glob("artifacts/**/*") if path.is_file()}
    # A worker killed while it writes leaves a hidden file, which no name finds; a purge takes it.
    hidden = {name for name in kept if name.startswith(".writing-")}
    found.stray = len((kept - hidden) ^ named)
    found.facts.append(f"{len(hidden)} hidden files left by workers killed as they wrote")
    deaths = sum(Volume.objects.values_list("deaths", flat=True))
    lost = sum(Volume.objects.values_list("lost", flat=True))
    found.facts.append(f"{found.claims} claims for {len(named) // 2} volumes")
    found.facts.append(f"{lost} claims lost, {deaths} deaths laid on the work itself")
    return found


def _print(plan: Plan, found: Findings, blows: Blows) -> None:
    kills = ", ".join(f"{count} of {kind}" for kind, count in sorted(blows.kills.items()))
    lines = [
        ("jobs", f"{plan.jobs} of {plan.documents:,} documents"),
        ("workers", f"{plan.workers}, one of them two hours ahead"),
        ("kill -9", f"{blows.kills.total()}: {kills}"),
        ("servers", "; ".join(blows.strikes)),
        ("time", f"{found.seconds:.0f} s"),
        *(("", fact) for fact in found.facts),
        ("jobs not ready", str(found.unfinished)),
        ("lost", f"{found.lost} documents"),
        ("duplicated", f"{found.duplicated} documents"),
        ("corrupt", f"{found.corrupt} volumes differ from an undisturbed run's"),
        ("stray", f"{found.stray} files without a row, or rows without a file"),
    ]
    if found.spared:
        lines.append(("spared", f"{found.spared} blows did not fall: the work was over"))
    for name, text in lines:
        print(f"{name:<16} {text}")


if __name__ == "__main__":
    sys.exit(main())
