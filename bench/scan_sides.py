"""Sides scanned and read: what was recognised, what was taken for something else.

A series is a kind of pile; sides are printed, scanned and read by chunks, each in a process that
has the forms at hand. What a chunk does follows from the series and its number alone.
"""

import os
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field, replace
from functools import cache
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from numpy.random import Generator

from docgen import library
from docgen.pagecode import Key
from docgen.press import Job, Order, prepare
from docgen.records import Device, Roster
from docgen.rendering.printfile import Document
from docgen.scanning import codes
from docgen.scanning.findings import Reading
from docgen.scanning.images import Picture, open_scan
from docgen.scanning.matching import Awaited
from samples import scanner, scanning_files
from samples import scanning_strangers as strangers
from samples.people import CEDED_DATE, cession_for, people, school
from samples.scanner import Paper, Scan, Truth

KEY = Key(1, b"a key of the bench, which opens nothing")
OTHERS = (Key(1, b"the key of another installation"), Key(5, b"a key that nobody here holds"))
KEYS = {1: KEY}
CHUNK = 25  # sides
PRINTED = (
    ("charte-cession-eleve", "police-10"),
    ("charte-cession-eleve", "reduction"),
    ("charte-cession-professeur", "police-10"),
)
PUPILS = 300  # different documents of each charter; then they come again, scanned otherwise
DECOYS = 2000  # documents that are awaited, and never come
TOLD = 12  # sides of a series told one by one
Tell = Callable[[int], None]
Work = Callable[["Series", int, Path], "Tally"]


@dataclass(frozen=True)
class Series:
    """A kind of pile: how its sides are made from printed ones, and how many there are."""

    name: str
    count: int
    family: int = -1


@dataclass
class Tally:
    """What became of the sides (or zones) of a series; `told` names some that went wrong."""

    sides: int = 0
    right: int = 0
    false: int = 0
    turned_wrong: int = 0
    verdicts: Counter[str] = field(default_factory=Counter)
    steps: Counter[str] = field(default_factory=Counter)
    told: list[str] = field(default_factory=list)

    def add(self, other: "Tally") -> None:
        """Add another tally to this one."""
        self.sides += other.sides
        self.right += other.right
        self.false += other.false
        self.turned_wrong += other.turned_wrong
        self.verdicts.update(other.verdicts)
        self.steps.update(other.steps)
        self.told = (self.told + other.told)[:TOLD]


def measure(series: list[Series], cache_folder: Path, work: Work, tell: Tell) -> dict[str, Tally]:
    """Do the work of every series on all cores; `tell` is told how many chunks are done."""
    tallies = {each.name: Tally() for each in series}
    for which in range(len(PRINTED)):
        printed(which, cache_folder)[0].run  # noqa: B018 - compiled here once, for all processes
    with ProcessPoolExecutor(os.cpu_count(), get_context("fork")) as pool:
        waiting = {
            pool.submit(work, each, first, cache_folder): each
            for each in series
            for first in range(0, each.count, CHUNK)
        }
        for number, done in enumerate(as_completed(waiting), 1):
            tallies[waiting[done].name].add(done.result())
            tell(number)
    return tallies


def chunk(series: Series, first: int, cache_folder: Path) -> Tally:
    """Print, scan and read the sides of a series from one number on."""
    tally = Tally()
    count = min(CHUNK, series.count - first)
    scans = scanned(series, first, count, cache_folder)
    expected = awaited(cache_folder)
    for truth, picture in filed(scans):
        judge(tally, truth, codes.read(picture, KEYS, expected), first + picture.index)
    return tally


@cache
def awaited(cache_folder: Path) -> Awaited:
    """Give what the service would say is awaited: what was printed, and others; once a process."""
    rng = np.random.default_rng(DECOYS)
    documents = [(rng.bytes(6).hex(), int(rng.integers(1, 7))) for _ in range(DECOYS)]
    for which in range(len(PRINTED)):
        job, own = printed(which, cache_folder)
        documents += [(each.number.hex(), len(job.run.imposition.sides)) for each in own]
    return Awaited(KEYS, documents)


def filed(scans: Iterable[Scan]) -> Iterator[tuple[Truth, Picture]]:
    """Write scans into a PDF and open it again: pictures as the service has them."""
    truths: list[Truth] = []

    def noted() -> Iterator[Scan]:
        for scan in scans:
            truths.append(scan.truth)
            yield scan

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pile.pdf"
        with path.open("wb") as stream:
            scanning_files.write_pdf(stream, noted())
        with open_scan(path) as pile:
            yield from zip(truths, pile.read(), strict=True)


def judge(tally: Tally, truth: Truth, reading: Reading, index: int) -> None:
    """Count one side: any code taken for authentic must be one that was printed on it."""
    known = truth.kind == "known"
    said = {(code.document, code.side, code.sides) for code in reading.codes}
    wrong = said - ({(truth.document, truth.side, truth.sides)} if known else set())
    # A code is believed when its side is: what is inconsistent is shown to a person.
    false = bool(wrong) and reading.verdict == "coded"
    right = reading.verdict == "coded" and not wrong
    tally.sides += 1
    tally.right += right
    tally.false += false
    astray = right and reading.rotation != truth.rotation
    tally.turned_wrong += astray
    verdict = reading.verdict + (f" ({reading.reason})" if reading.reason else "")
    tally.verdicts[reading.verdict] += 1
    tally.steps[reading.step or "-"] += 1
    bad = (
        false
        or astray
        or (known and not right)
        or (reading.verdict == "blank") is not (truth.kind == "blank")
    )
    if bad and len(tally.told) < TOLD:
        done = ", ".join((truth.family, f"{truth.dpi} dpi", *truth.done))
        tally.told.append(f"side {index}: {done}: {verdict}")


def scanned(series: Series, first: int, count: int, cache_folder: Path) -> Iterator[Scan]:
    """Scan sides of a series, each with chance of its own."""
    job, documents = printed(first // CHUNK % len(PRINTED), cache_folder)
    at = first // CHUNK // len(PRINTED) % len(documents)
    papers = list(scanner.print_out(job.run, [documents[at]]))
    for index in range(first, first + count):
        name = int.from_bytes(series.name.encode()[:8], "big")
        rng = np.random.default_rng((name, series.family + 1, index))
        yield one(series, papers[index % len(papers)], papers, job, rng)


def one(series: Series, paper: Paper, papers: list[Paper], job: Job, rng: Generator) -> Scan:
    """Scan one side as its series wants."""
    if series.family >= 0:
        return scanner.scan(paper, scanner.FAMILIES[series.family](rng), rng)
    if series.name == "mixed":
        signed = [zone.name for zone in paper.zones if rng.random() < 0.8]
        marks = int(rng.integers(0, 12))
        return scanner.scan(paper, scanner.mixed(rng), rng, signed=signed, marks=marks)
    recipe = scanner.office(rng)
    if series.name == "office":
        return scanner.scan(paper, recipe, rng)
    symbols = job.run.symbols
    if series.name == "other installation":
        key = OTHERS[rng.integers(2)]
        return scanner.scan(strangers.recoded(paper, key, symbols, rng), recipe, rng)
    if series.name == "edited code":
        edited = strangers.recoded(paper, KEY, symbols, rng, edited=True)
        return scanner.scan(edited, recipe, rng)
    if series.name == "without our code":
        make = (strangers.delivery_note, strangers.letter)[rng.integers(2)]
        return scanner.scan(make(rng), recipe, rng)
    return _back(series, papers, recipe, rng)


def _back(series: Series, papers: list[Paper], recipe: scanner.Recipe, rng: Generator) -> Scan:
    """Scan a back, blank or with a line by hand, the front shining through or not."""
    front = papers[rng.integers(len(papers))]
    shape = front.picture.shape[0], front.picture.shape[1]
    through = float(rng.uniform(5, 40)) * (rng.random() < 0.7)
    recipe = replace(recipe, through=through)
    if series.name == "backs with a line":
        return scanner.scan(strangers.written_back(rng, shape), recipe, rng, behind=front)
    marks = int(rng.integers(0, 6))
    back = strangers.blank_back(shape)
    return scanner.scan(back, recipe, rng, marks=marks, behind=front)


@cache
def printed(which: int, cache_folder: Path) -> tuple[Job, list[Document]]:
    """Prepare one of the charters for the bench's pupils; once a process."""
    slug, layout = PRINTED[which]
    template = library.load(slug)
    pupils = people(PUPILS)
    cessions = {person.id: cession_for(person, n) for n, person in enumerate(pupils)}
    model = "Tablette 10,3 pouces, 64 Go"
    devices = {each.serial: Device(each.serial, model) for each in cessions.values()}
    roster = Roster(tuple(pupils), "2026-2027", devices, cessions)
    order = Order(template, template.manifest.layout(layout), school(), roster, CEDED_DATE)
    job = prepare(order, KEY, cache_folder)
    documents = list(job.documents())
    if job.problems:
        raise ValueError(f"{slug}: {job.problems[0].what}")
    return job, documents
