"""The press itself, by the path that `docgen press` takes: an order, a job, a folder."""

import tempfile
import time
from dataclasses import replace
from pathlib import Path

from bench import town
from bench.clock import Clock, Sample, held
from docgen.jobfolder import Report, write_job
from docgen.press import prepare


def press(work: Path, count: int) -> Sample:
    """Press a school's documents; the forms are compiled already, in the work folder's cache."""
    import docgen.rendering.ticket  # noqa: F401 - the peers' libraries are loaded by now too

    wanted = town.order(work, count)
    with tempfile.TemporaryDirectory(dir=work) as folder:
        with Clock() as clock:
            report = write_job(prepare(wanted, town.KEY, work / "cache"), Path(folder) / "job")
        size = _size(report, Path(folder) / "job")
    return clock.sample(report.documents, report.sides, size, volumes=len(report.volumes))


def press_town(work: Path, count: int) -> Sample:
    """Press a town's documents, people drawn slice by slice; their drawing is not counted."""
    import docgen.rendering.ticket  # noqa: F401 - as above

    wanted = town.town_order(work, count)
    crowd = town.Town(count)
    volumes: list[float] = []
    with tempfile.TemporaryDirectory(dir=work) as folder:
        with Clock() as clock:
            job = prepare(wanted, town.KEY, work / "cache")
            job.people, job.count = crowd, count
            report = write_job(job, Path(folder) / "job", lambda _: volumes.append(held()))
        size = _size(report, Path(folder) / "job")
    clock.seconds -= crowd.seconds
    clock.processor -= crowd.processor
    grown = volumes[-1] - volumes[0]
    return clock.sample(
        *(report.documents, report.sides, size), volumes=len(report.volumes), grown=grown
    )


def first_document(work: Path, count: int, born: float) -> Sample:
    """Press for a school never seen: how long until the first document is in its file.

    `born` is when the parent started this process, by the clock that both read.
    """
    # Volumes of one document: the press tells of a volume when its file is written.
    wanted = replace(town.elsewhere(town.order(work, count)), volume=1)
    times: list[float] = []
    with tempfile.TemporaryDirectory(dir=work) as folder:
        with Clock() as clock:
            times.append(time.perf_counter())
            job = prepare(wanted, town.KEY, work / "cache")
            done = Path(folder) / "job"
            report = write_job(job, done, lambda _: times.append(time.perf_counter()))
        size = _size(report, done)
    began, first, *_ = times
    return clock.sample(
        *(report.documents, report.sides, size), first=first - began, since_start=first - born
    )


def _size(report: Report, folder: Path) -> int:
    """Add up the print files; the ticket and the lists are not sides."""
    return sum((folder / volume.file).stat().st_size for volume in report.volumes)
