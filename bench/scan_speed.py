"""How fast piles are read, beside the usual way, and how much memory they take.

Each way runs in a process of its own, on one core (`bench.child`).
"""

import resource
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from bench.clock import Clock, Sample
from bench.scan_sides import KEYS, printed
from samples import scanner, scanning_files
from samples.scanner import Recipe, Scan

PILES = {
    "grey-200": Recipe("200 dpi grey JPEG", dpi=200, quality=75),
    "colour-300": Recipe("300 dpi colour JPEG", dpi=300, mode="colour", quality=75),
    "fax-200": Recipe("200 dpi G4", dpi=200, mode="bitonal"),
}
USUAL_DPI = 300
DISTINCT = 40  # images of a large pile; then they come again
OWN_PILE = "pile-{}.pdf"


def make_pile(work: Path, name: str, count: int) -> Sample:
    """Write a pile of undamaged sides."""
    recipe = PILES[name]
    with Clock() as clock, (work / f"{name}.pdf").open("wb") as stream:
        scanning_files.write_pdf(stream, _scans(work, recipe, count))
    return clock.sample(count, count, (work / f"{name}.pdf").stat().st_size)


def make_large(work: Path, count: int) -> Sample:
    """Write a pile of many sides of 200 dpi grey: some 0.5 MB each."""
    kept = list(_scans(work, PILES["grey-200"], DISTINCT))
    path = work / OWN_PILE.format(count)
    with Clock() as clock, path.open("wb") as stream:
        scanning_files.write_pdf(stream, (kept[n % DISTINCT] for n in range(count)))
    return clock.sample(count, count, path.stat().st_size)


def _scans(work: Path, recipe: Recipe, count: int) -> Iterator[Scan]:
    job, documents = printed(0, work / "cache")
    papers = scanner.print_out(job.run, documents[: -(-count // 5)])
    for number, paper in zip(range(count), papers, strict=False):
        rng = np.random.default_rng(number)
        skew = float(np.clip(rng.normal(0, 0.8), -2.5, 2.5))
        turn = int(rng.choice([0, 180], p=[0.9, 0.1]))
        yield scanner.scan(paper, replace(recipe, skew=skew, turn=turn), rng)


def ours(work: Path, name: str) -> Sample:
    """Read a pile part by part: codes, verdicts, clean copies, previews."""
    from docgen.scanning.reading import read_part

    path = work / f"{name}.pdf"
    read = sides = first = 0
    with tempfile.TemporaryDirectory(dir=work) as folder, Clock() as clock:
        while first == 0 or first < sides:
            part = read_part(path, first, None, KEYS, Path(folder))
            sides, first = part.sides, part.last
            read += sum(reading.verdict == "coded" for reading in part.readings)
    return clock.sample(sides, sides, path.stat().st_size, read=read)


def usual(work: Path, name: str) -> Sample:
    """Draw each page in grey with pdfium at 300 dpi, and decode the whole of it with defaults."""
    import pypdfium2
    import zxingcpp

    from docgen.errors import CodeRefused
    from docgen.pagecode import parse

    path, read = work / f"{name}.pdf", 0
    with Clock() as clock:
        document = pypdfium2.PdfDocument(path)
        sides = len(document)
        for index in range(sides):
            bitmap = document[index].render(scale=USUAL_DPI / 72, grayscale=True)
            found = zxingcpp.read_barcodes(bitmap.to_numpy().reshape(bitmap.height, -1))
            authentic = 0
            for symbol in found:
                try:
                    parse(symbol.text, KEYS)
                except CodeRefused:
                    continue
                authentic += 1
            read += authentic > 0
            bitmap.close()
        document.close()
    return clock.sample(sides, sides, path.stat().st_size, read=read)


def memory(work: Path, count: int) -> Sample:
    """Read a large pile part by part, each in a child as workers do; memory is the largest's."""
    from docgen.scanning.reading import read_part
    from workers import children

    limits = children.Limits(memory=2**30, processor=10, wall=60)  # as workers.scans has them
    path = work / OWN_PILE.format(count)
    first = read = 0
    with tempfile.TemporaryDirectory(dir=work) as folder, Clock() as clock:
        while first < count:

            def part(say: children.Say, first: int = first) -> dict[str, Any]:
                done = read_part(path, first, None, KEYS, Path(folder), say=say)
                coded = sum(reading.verdict == "coded" for reading in done.readings)
                return {"last": done.last, "coded": coded}

            outcome = children.run(part, lambda _: True, limits)
            if outcome.verdict != "done":
                raise RuntimeError(f"the part from side {first}: {outcome.verdict}")
            first = outcome.result["last"]
            read += outcome.result["coded"]
    largest = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024 / 1e6
    clock.memory = max(clock.memory, largest)
    size = path.stat().st_size
    return clock.sample(count, count, size, read=read)
