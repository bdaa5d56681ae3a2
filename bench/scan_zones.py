"""Signature zones: signed ones taken for empty, empty ones taken for signed."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from math import isnan
from pathlib import Path

import numpy as np

from bench.scan_sides import CHUNK, KEYS, PRINTED, TOLD, Series, Tally, filed, printed
from docgen.scanning import codes, signatures
from docgen.scanning.images import Picture
from docgen.scanning.signatures import Printed, Zone
from samples import scanner
from samples.scanner import Paper, Scan, Truth

EMPTY, SIGNED = "sides not signed", "sides signed"
MARKS = 12  # specks of dust on a side, at most
LANDSCAPE = 1  # which of PRINTED is reduced: its zones are the smallest


def chunk(series: Series, first: int, cache_folder: Path) -> Tally:
    """Measure the zones of sides that are all signed, or not at all; a zone counts as a side."""
    job, documents = printed(first // CHUNK % len(PRINTED), cache_folder)
    document = documents[first // CHUNK // len(PRINTED) % len(documents)]
    papers = [paper for paper in scanner.print_out(job.run, [document]) if paper.zones]
    wanted = range(first, min(first + CHUNK, series.count))
    tally = Tally()
    scans = _scans(series, papers, wanted)
    for (truth, picture), index in zip(filed(scans), wanted, strict=True):
        _judge(tally, truth, picture, papers[index % len(papers)], index)
    return tally


def _scans(series: Series, papers: list[Paper], wanted: range) -> Iterator[Scan]:
    """Scan as the mixed population is, without damage: a stamp near a zone is no empty zone."""
    for index in wanted:
        rng = np.random.default_rng((series.name == SIGNED, index))
        recipe = replace(scanner.mixed(rng), damages=(), cut=None)
        paper = papers[index % len(papers)]
        signed = [zone.name for zone in paper.zones] if series.name == SIGNED else []
        yield scanner.scan(paper, recipe, rng, signed=signed, marks=int(rng.integers(MARKS)))


def _judge(tally: Tally, truth: Truth, picture: Picture, paper: Paper, index: int) -> None:
    reading = codes.read(picture, KEYS)
    told = partial(_tell, tally, truth, index)
    if reading.matrix is None:
        tally.verdicts["side not read"] += 1
        return
    size = picture.width, picture.height
    if not signatures.is_sure(len(reading.codes), reading.matrix, size, picture.dpi):
        tally.verdicts["side not looked at"] += 1
        return
    tally.verdicts["side looked at"] += 1
    before = tally.false
    side = Printed(paper.picture, scanner.PRINT_DPI)
    for zone in paper.zones:
        box = (zone.x, zone.y, zone.width, zone.height)
        wanted = Zone(name=zone.name, label=zone.name, side=zone.side, box=box)
        ink = signatures.measure(picture, reading.matrix, wanted, side)
        if isnan(ink):  # the zone is out of the picture
            tally.verdicts["zone not in the picture"] += 1
            continue
        signed = signatures.is_signed(ink)
        tally.sides += 1
        tally.verdicts["signed" if signed else "empty"] += 1
        tally.right += signed is (zone.name in truth.signed)
        if signed is not (zone.name in truth.signed):
            tally.false += 1
            told(f"{zone.name}: {ink:.2f} mm²")
    tally.verdicts["side told wrong"] += tally.false > before


def _tell(tally: Tally, truth: Truth, index: int, what: str) -> None:
    if len(tally.told) < TOLD:
        tally.told.append(f"side {index}: {truth.dpi} dpi: {what}")
