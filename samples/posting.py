"""The post in `make demo`: an attestation signed, scanned, mailed into a folder, and the ledger.

Its head of school is made up, and so is the scanner; the mails are those that a server would get.
"""

import hashlib
import json
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol

import numpy as np
import pypdfium2
import zxingcpp

from docgen.cli import output
from docgen.mailing import joining
from docgen.rendering.imposition import MM, SideZone
from docgen.rendering.pictures import greys, save_png
from samples import returning, scanner
from samples.papers import DOCGEN
from samples.scanner import Paper, Recipe
from samples.scanning_files import write_pdf

PERIOD = {"start": "2026-09-01", "end": "2026-09-14"}
FRAME = (60 * MM, 48 * MM)  # where the head signs, under these words
SIGNED_UNDER = "Signature et cachet"
OFFICE = Recipe("office", dpi=150)
FOLDER = "courrier"
BOTH = ["copy", "region"]
PATIENCE = 120  # seconds for each thing that is waited for
LOOK = 0.2
PICTURE_DPI = 60
Step = Callable[[str, str], None]
Facts = dict[str, Any]


class Api(returning.Api, Protocol):
    """What the post asks of a client of the API."""

    def tell(self, method: str, path: str, facts: Facts) -> Facts:
        """Send facts, and give those of the answer."""


@dataclass(frozen=True, slots=True)
class Mailed:
    """A mail as its reader finds it: where, to whom, what it says, what it holds."""

    path: Path
    recipient: str
    subject: str
    attachment: str
    content: bytes


def show(api: Api, uai: str, data: Path, target: Path, step: Step) -> list[Mailed]:
    """Issue, sign, scan and mail a school's attestation; give the mails that were written."""
    issued = _issued(api, uai)
    step("attestation", f"{len(issued['holds']['cessions'])} cessions")
    content = api.call("GET", f"attestations/{issued['id']}/attestation.pdf")
    pile = target / "numerisations" / "attestation.pdf"
    papers = _scanned(content, pile)
    step("signature, scanner", f"{len(papers)} faces")
    outcomes = returning.read(api, returning.send(api, uai, [pile]))
    step("lecture", f"{outcomes['known']} faces reconnues")
    found = _delivered(api, issued["id"])
    step("reliure, envoi", "à la Région, copie à l’établissement")
    mails = sorted(_mails(data / FOLDER), key=lambda each: (each.recipient, each.attachment))
    _check(found, mails)
    first = target / mails[0].attachment
    first.write_bytes(mails[0].content)
    save_png(first, 0, PICTURE_DPI, target / "attestation-envoyee.png")
    _post_original(api, issued, papers)
    step("original", "posté, puis reçu, son code lu")
    return mails


def tell(mails: Sequence[Mailed]) -> None:
    """Print what a clerk sees of each mail."""
    for each in mails:
        size = output.size(len(each.content))
        rows = [("Objet", each.subject), ("Pièce jointe", each.attachment), ("Taille", size)]
        output.say()
        output.table(("Envoi", f"à {each.recipient}"), rows)


def ledger(environment: dict[str, str], uai: str) -> str:
    """Give what `docgen ledger` says of a school."""
    command = [str(DOCGEN), "ledger", "--school", uai]
    done = subprocess.run(  # noqa: S603 - our own command
        command, env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout


def dated(school: Path, today: date) -> None:
    """Bring the made-up distribution back to today, on a machine whose clock is before it."""
    if today >= date.fromisoformat(PERIOD["end"]):
        return
    path = school / "cessions.csv"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("14/09/2026", f"{today:%d/%m/%Y}"), encoding="utf-8")


def _period(today: date) -> dict[str, str]:
    if today >= date.fromisoformat(PERIOD["end"]):
        return PERIOD
    return {"start": today.isoformat(), "end": today.isoformat()}


def _issued(api: Api, uai: str) -> Facts:
    wanted = {"school": uai, **_period(date.today())}  # noqa: DTZ011 - the school's own day
    issued = api.tell("POST", "attestations", wanted)
    ready: Facts = _awaited(
        "L’attestation n’est pas prête à temps.",
        lambda: json.loads(api.call("GET", f"attestations/{issued['id']}")),
        lambda told: told["state"] == "done",
    )
    return ready


def _scanned(content: bytes, path: Path) -> list[Paper]:
    """Print an attestation, sign it where it says, and scan all its sides; give them."""
    papers = sides(content)
    rng = np.random.default_rng(returning.SEED)
    scans = [
        scanner.scan(each, OFFICE, rng, signed=[zone.name for zone in each.zones])
        for each in reversed(papers)
    ]
    with path.open("wb") as stream:
        write_pdf(stream, scans)
    return papers


def sides(content: bytes) -> list[Paper]:
    """Print an attestation: its sides, with the place where the head of school signs."""
    pictures = list(greys(content, scanner.PRINT_DPI))
    zones = {zone.side: (zone,) for zone in _places(content)}
    return [
        Paper(picture, "", side, len(pictures), zones=zones.get(side, ()))
        for side, picture in enumerate(pictures, 1)
    ]


def _places(content: bytes) -> Iterator[SideZone]:
    """Find where the head of school signs, as a person does: under the words that say so."""
    document = pypdfium2.PdfDocument(content)
    try:
        text = document[0].get_textpage()
        index, _ = text.search(SIGNED_UNDER, match_case=True).get_next()
        left, bottom, _, _ = text.get_charbox(index)
    finally:
        document.close()
    yield SideZone("head", 1, left, bottom - FRAME[1] - MM, *FRAME)


def _delivered(api: Api, attestation: str) -> list[Facts]:
    """Wait until the region has its mails, and the school its copy."""
    path = f"deliveries?attestation={attestation}"
    found: list[Facts] = _awaited(
        "L’attestation n’est pas envoyée à temps.",
        lambda: json.loads(api.call("GET", path))["items"],
        lambda told: sorted(each["role"] for each in told if each["stage"] == "sent") == BOTH,
    )
    return found


def _mails(folder: Path) -> Iterator[Mailed]:
    for path in folder.glob("*.eml"):
        letter = message_from_bytes(path.read_bytes(), policy=default)
        for part in letter.iter_attachments():
            name, content = part.get_filename() or "", part.get_content()
            yield Mailed(path, str(letter["To"]), str(letter["Subject"]), name, content)


def _check(found: Sequence[Facts], mails: Sequence[Mailed]) -> None:
    """Make sure that what was mailed, its parts put together, is the signed file, once to each."""
    expected = {each["recipient"]: each["sha256"] for each in found}
    written = {
        each.recipient: _digest([m for m in mails if m.recipient == each.recipient])
        for each in mails
    }
    if written != expected:
        raise SystemExit("Ce qui est envoyé n’est pas le fichier signé.")


def _digest(mails: Sequence[Mailed]) -> str:
    if len(mails) == 1:
        return hashlib.sha256(mails[0].content).hexdigest()
    with TemporaryDirectory() as place:
        paths = [Path(place, each.attachment) for each in mails]
        for path, each in zip(paths, mails, strict=True):
            path.write_bytes(each.content)
        return joining.join(paths, Path(place, "whole.pdf"))


def _post_original(api: Api, issued: Facts, sides: Sequence[Paper]) -> None:
    """Say that the paper was posted, and have the region scan the code of what it received."""
    api.tell("POST", f"originals/{issued['id']}/post", {})
    (code, *_) = zxingcpp.read_barcodes(sides[0].picture)
    api.tell("POST", "receptions", {"code": code.text})


def _awaited(failure: str, ask: Callable[[], Any], is_done: Callable[[Any], bool]) -> Any:  # noqa: ANN401
    end = time.monotonic() + PATIENCE
    while True:
        told = ask()
        if is_done(told):
            return told
        if time.monotonic() > end:
            raise SystemExit(f"{failure}\n{json.dumps(told, ensure_ascii=False)[:2000]}")
        time.sleep(LOOK)
