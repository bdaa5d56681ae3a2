"""Attestations of any length: what a short and a long one take, each in its own process."""

import re
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import date, timedelta
from multiprocessing import get_context
from pathlib import Path

from bench.clock import NotMeasured
from bench.town import KEY
from docgen import attesting
from docgen.attestations import Attestation, Entry, issue
from docgen.cli import output
from docgen.datafolder import data_folder
from docgen.region import Region
from samples.people import school, serial_number

SIZES = (5, 2000)  # cessions
START, END, TODAY = date(2026, 9, 1), date(2026, 9, 30), date(2026, 10, 16)


@dataclass(frozen=True, slots=True)
class Attested:
    """What an attestation and its cover letter took, once the layout engine was loaded."""

    cessions: int
    pages: int
    seconds: float
    megabytes: int


def measure(cessions: int) -> Attested:
    """Press an attestation of so many cessions, in this process.

    Raises:
        NotMeasured: when the system does not tell memory.
    """
    _press(1)
    began = time.perf_counter()
    papers = _press(cessions)
    seconds = time.perf_counter() - began
    most = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text(encoding="utf-8"))
    if most is None:
        raise NotMeasured("ce système ne dit pas la mémoire d’un programme.")
    return Attested(cessions, papers.pages, round(seconds, 2), int(most[1]) // 1024)


def compare() -> list[Attested]:
    """Measure each size in a process of its own, one after the other."""
    found = []
    for size in SIZES:
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as alone:
            found.append(alone.submit(measure, size).result())
    return found


def say(found: list[Attested]) -> None:
    """Print what was measured."""
    output.say("\nAttestation and its cover letter, laid out whole")
    output.table(
        ("Cessions", "Pages", "Seconds", "Memory (MB)"),
        [(f"{a.cessions:,}", str(a.pages), f"{a.seconds:.2f}", str(a.megabytes)) for a in found],
    )


def _press(cessions: int) -> attesting.Papers:
    return attesting.press(_made(cessions), school(), Region(), KEY, data_folder() / "cache")


def _made(cessions: int) -> Attestation:
    entries = [
        Entry(
            serial_number(number),
            f"P{number}",
            "pupil",
            f"2DE {number // 25 + 1}",
            START + timedelta(number % 30),
        )
        for number in range(cessions)
    ]
    place = school().uai
    return issue(entries, school=place, start=START, end=END, previous=(), today=TODAY)


if __name__ == "__main__":
    say(compare())
