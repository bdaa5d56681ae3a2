"""The return in `make demo`: documents signed and scanned by a made-up school, sent, read, bound.

The prints are those of the service (same records, same key, so the same codes); pens, stamps and
scanners are simulated by `samples.scanner`.
"""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.random import Generator

from docgen.cli import output
from docgen.pagecode import Key
from docgen.press import Order, prepare
from docgen.rendering.pictures import save_png
from docgen.rendering.printfile import Run
from samples import scanner, scanning_recipes, scanning_strangers
from samples.scanner import Damage, Paper, Recipe, Scan
from samples.scanning_files import write_jpeg, write_pdf, write_tiff

SEED = 2027  # no pencil under a fax: it would not be seen, and rightly be told as empty
DOCUMENTS = 16
WHOLE = 6  # of them are scanned whole; of the others, the signed side alone
PATIENCE = 120  # seconds for all that was sent to be read and bound
LOOK = 0.2
PICTURE_DPI = 100
OTHER_KEY = Key(1, b"another installation")
OUTCOMES = {
    "known": "reconnues",
    "duplicate": "en double",
    "foreign": "étrangères",
    "superseded": "remplacées",
    "unknown": "sans code",
    "unreadable": "illisibles",
    "inconsistent": "contradictoires",
    "blank": "blanches",
}


class Api(Protocol):
    """What the demo asks of a client of the API."""

    def call(self, method: str, path: str) -> bytes:
        """Ask, and give the answer."""

    def send(self, path: str, facts: dict[str, str], files: Any) -> Any:  # noqa: ANN401
        """Send files as a form does, and give the answer."""


@dataclass
class Pile:
    """What is put on the scanner, and what must be told of it."""

    office: list[Scan] = field(default_factory=list)
    fax: list[Scan] = field(default_factory=list)
    photographs: list[Scan] = field(default_factory=list)
    unsigned: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    expected: dict[str, int] = field(default_factory=lambda: dict.fromkeys(OUTCOMES, 0))

    def add(self, outcome: str, scan: Scan, sheets: list[Scan]) -> None:
        """Add a side, and what is to become of it."""
        sheets.append(scan)
        self.expected[outcome] += 1


def pile(order: Order, data: Path) -> Pile:
    """Sign and scan the first documents of an order: out of order, with strays among them."""
    rng = np.random.default_rng(SEED)
    # The service's own, whatever key this machine's environment names.
    key = Key(1, (data / "page-code.key").read_bytes().strip())
    job = prepare(order, key, data / "cache")
    documents = list(islice(job.documents(), DOCUMENTS))
    made, last = Pile(), Paper(np.zeros((1, 1), np.uint8))
    for number, paper in enumerate(scanner.print_out(job.run, documents)):
        document, side = divmod(number, paper.sides)
        reference = documents[document].copy.reference
        is_signed_side = side == paper.sides - 1
        if document >= WHOLE and not is_signed_side:
            continue
        if document == WHOLE - 1 and is_signed_side:  # lost on the way
            made.missing.append(reference)
            continue
        names = [zone.name for zone in paper.zones]
        if document == WHOLE + 1 and is_signed_side:  # came back, and nobody had signed
            made.unsigned.append(reference)
            names = []
        if document == DOCUMENTS - 1:
            phone = scanning_recipes.phone(rng)
            made.add("known", _scan(paper, phone, rng, names), made.photographs)
        else:
            _scanned(made, paper, names, rng)
        last = paper if is_signed_side else last
    _strays(made, last, job.run, rng)
    for sheets in (made.office, made.fax):
        order_of = rng.permutation(len(sheets))
        sheets[:] = [sheets[at] for at in order_of]
    return made


def _scanned(made: Pile, paper: Paper, names: Sequence[str], rng: Generator) -> None:
    """Scan a side: most on an office scanner, some on a fax, one in ten with a stamped code."""
    recipe = scanner.office(rng)
    if rng.random() < 0.1:
        recipe = replace(recipe, damages=(Damage("stamp", 0, "blue"),))
    sheets = made.fax if recipe.mode == "bitonal" else made.office
    made.add("known", _scan(paper, recipe, rng, names), sheets)


def _strays(made: Pile, paper: Paper, run: Run, rng: Generator) -> None:
    """Add what does not belong: doubles, backs, another installation's side, codes torn off."""
    sheet = made.office
    names = [zone.name for zone in paper.zones]
    made.add("duplicate", _scan(paper, Recipe("office", dpi=100, noise=5.0), rng, names), sheet)
    for key, edited in ((OTHER_KEY, False), (run.key, True)):
        stranger = scanning_strangers.recoded(paper, key, run.symbols, rng, edited=edited)
        made.add("foreign", _scan(stranger, Recipe("office"), rng), sheet)
    others = {
        "blank": (scanning_strangers.blank_back(), scanning_strangers.blank_back()),
        "unknown": (scanning_strangers.written_back(rng), scanning_strangers.delivery_note(rng)),
    }
    for outcome, strays in others.items():
        for stray in strays:
            made.add(outcome, _scan(stray, Recipe("office"), rng), sheet)
    torn = tuple(Damage("stamp", corner, "black") for corner in (0, 1))
    blotted = tuple(Damage("pen", corner) for corner in (0, 1) for _ in range(4))
    made.add("unreadable", _scan(paper, Recipe("office", damages=torn + blotted), rng), sheet)


def _scan(paper: Paper, recipe: Recipe, rng: Generator, names: Sequence[str] = ()) -> Scan:
    return scanner.scan(paper, recipe, rng, signed=names)


def write(made: Pile, folder: Path) -> list[Path]:
    """Write the piles as a scanner and a telephone do."""
    folder.mkdir(parents=True, exist_ok=True)
    files = [folder / "pile.pdf"]
    with files[0].open("wb") as stream:
        write_pdf(stream, made.office)
    if made.fax:
        files.append(folder / "pile-noir-et-blanc.tif")
        write_tiff(files[-1], made.fax, "group4")
    for number, photograph in enumerate(made.photographs, 1):
        files.append(folder / f"photo-{number}.jpg")
        write_jpeg(files[-1], photograph)
    return files


def send(api: Api, uai: str, files: Sequence[Path]) -> list[str]:
    """Send the files of a school; give the numbers of the batches."""
    received = api.send(f"schools/{uai}/scans", {}, [("files", file) for file in files])
    return [each["id"] for each in received]


def read(api: Api, batches: Sequence[str]) -> dict[str, int]:
    """Wait until the batches are read; give their sides by outcome."""
    end = time.monotonic() + PATIENCE
    while True:
        told = [_asked(api, f"scans/{batch}") for batch in batches]
        if all(each["stage"] != "received" for each in told):
            break
        if time.monotonic() > end:
            raise SystemExit("Les numérisations ne sont pas lues à temps.")
        time.sleep(LOOK)
    counts = dict.fromkeys(OUTCOMES, 0)
    for each in told:
        if each["stage"] == "refused":
            raise SystemExit(f"{each['label']}\u00a0: {each['problems']}")
        for outcome, count in each["outcomes"].items():
            counts[outcome] = counts.get(outcome, 0) + count
    return counts


def bound(api: Api, uai: str, count: int) -> list[dict[str, Any]]:
    """Wait until so many documents of a school are bound; give all that came home."""
    end = time.monotonic() + PATIENCE
    while True:
        found = list(_asked(api, f"returns?school={uai}&limit=100")["items"])
        if sum(each["stage"] == "bound" for each in found) >= count:
            return found
        if time.monotonic() > end:
            raise SystemExit("Les documents signés ne sont pas reliés à temps.")
        time.sleep(LOOK)


def download(api: Api, found: Sequence[dict[str, Any]], folder: Path) -> int:
    """Put the signed files into a folder, by their references; draw the last page of one."""
    folder.mkdir(parents=True, exist_ok=True)
    done = [each for each in found if each["stage"] == "bound"]
    for each in done:
        path = folder / f"{each['reference']}.pdf"
        path.write_bytes(api.call("GET", f"returns/{each['id']}/signed.pdf"))
    if done:
        first = folder / f"{done[0]['reference']}.pdf"
        save_png(first, done[0]["sides"] - 1, PICTURE_DPI, folder.parent / "document-signe.png")
    return len(done)


def tell(counts: dict[str, int], made: Pile, found: Sequence[dict[str, Any]]) -> None:
    """Print the outcomes beside what was put on the scanner, and what is left to do."""
    rows = [
        (name, str(made.expected[outcome]), str(counts.get(outcome, 0)))
        for outcome, name in OUTCOMES.items()
    ]
    output.say()
    output.table(("Faces", "Dans la pile", "Trouvées"), rows)
    states = {
        "reliés": sum(each["stage"] == "bound" for each in found),
        "incomplets": sum(each["stage"] == "partial" for each in found),
        "avec une case de signature vide": sum(bool(each["unsigned"]) for each in found),
    }
    output.table(("Documents", "Combien"), [(name, str(n)) for name, n in states.items()])


def _asked(api: Api, path: str) -> dict[str, Any]:
    return dict(json.loads(api.call("GET", path)))
