"""A filled region for `make demo` and for tests in a browser: three schools, paper in every state.

`python -m samples.region` fills the data folder of a service that runs (its workers print, read and
mail), opens four accounts and prints them as JSON lines. All is made up: people, pens, scanners.
Days are counted back from today, and what came home is spread over the last weeks, so that
screens show a year in motion; events tell the true moments.
"""

import json
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

from docgen import library, records
from docgen.datafolder import data_folder, page_code_key, page_code_keys
from docgen.press import Order, prepare
from samples import posting, scanner
from samples.people import people, school, serial_number, teachers
from samples.scanner import Damage, Paper, Recipe, Scan
from samples.scanning_files import write_pdf
from samples.scanning_strangers import delivery_note, written_back

if TYPE_CHECKING:
    from docgen.backoffice import models

BY = "demo"
PATIENCE = 180  # seconds for each thing that is waited for
LOOK = 0.2
DPI = 110
SEED = 7
CHARTER, LAYOUT = "charte-cession-eleve", "reduction"
TEACHERS = "charte-cession-professeur"
CONVENTION = "convention-pret-eleve"
SHOP = "Imprimerie des Alpilles (exemple)"
SECOND = records.School(
    *("0130021C", "Lycée des Salins", ("4 quai des Exemples",), "13200", "Arles"),
    email="lycee.des-salins@example.org",
    phone="01 99 00 13 21",
    head=records.Head("M.", "Bruno Essai", "proviseur"),
)
THIRD = records.School(
    *("0840005Z", "Lycée du Ventoux", ("27 cours de l’Exemple",), "84000", "Avignon"),
    email="lycee.du-ventoux@example.org",
    phone="01 99 00 84 05",
    head=records.Head("Mme", "Anne Modèle", "proviseure"),
)
HANDED = 4  # tablets in each period of an attestation


@dataclass(frozen=True, slots=True)
class Account:
    """Who can sign in to the made-up region."""

    login: str
    role: str
    password: str
    place: str = ""


def fill(today: date) -> list[Account]:
    """Fill the region, and open its accounts; the service runs meanwhile."""
    from docgen.backoffice import models

    first = _kept(school()) if not models.School.objects.exists() else models.School.objects.get()
    second, third = _kept(SECOND), _kept(THIRD)
    year = records_year(today)
    _people(second, 48, year, seed=3)
    _people(third, 30, year, seed=5)
    shop = models.PrintShop.objects.create(name=SHOP)
    _printed_and_returned(second, shop, today)
    _attested(second, today)
    _lent(third, today)
    _released(third, shop, today)
    _spread(today)
    return _accounts(first, shop)


def records_year(today: date) -> str:
    """Give the school year of a day: it begins in August."""
    start = today.year if today.month >= 8 else today.year - 1
    return f"{start}-{start + 1}"


def _kept(place: records.School) -> "models.School":
    from docgen.backoffice import registers

    return registers.keep_school(place, BY)


def _people(row: "models.School", count: int, year: str, *, seed: int) -> None:
    from docgen.backoffice import registers

    pupils = tuple(people(count, seed, classes=max(2, count // 16)))
    numbers = range(seed * 1000, seed * 1000 + count + 24)
    devices = {
        serial: records.Device(serial, "Tablette 10 pouces", "En stock")
        for serial in map(serial_number, numbers)
    }
    registers.keep_roster(row, "pupil", records.Roster(pupils, year, devices), BY)
    staff = tuple(teachers(6, seed))
    registers.keep_roster(row, "teacher", records.Roster(staff, year), BY)


def _order(
    row: "models.School", today: date, count: int = 0, *, template: str = CHARTER
) -> "models.PrintJob":
    """Order the charters of a school, and wait until they are printed."""
    from docgen.backoffice import models, print_jobs, registers

    wanted = library.load(template)
    roster = registers.roster(row, wanted.manifest.audience)
    if count:
        roster = replace(roster, people=roster.people[:count])
    layout = wanted.manifest.layout(LAYOUT)
    order = Order(wanted, layout, registers.school(row), roster, today)
    made = prepare(order, page_code_key(data_folder()), data_folder() / "cache")
    job = print_jobs.create(made, BY)
    awaited("les chartes", lambda: models.PrintJob.objects.get(pk=job.pk).stage == "ready")
    job.refresh_from_db()
    return job


def _printed_and_returned(row: "models.School", shop: "models.PrintShop", today: date) -> None:
    """Print charters, have the shop count them, and scan what some pupils brought back."""
    from docgen.backoffice import models, pressing, releases

    job = _order(row, today, 24)
    releases.release(job, shop, BY)
    for volume in models.Volume.objects.filter(job=job):
        releases.count(volume, volume.sheets, BY)
    volumes = models.Volume.objects.filter(job=job).order_by("number")
    documents = [each for volume in volumes for each in pressing.documents_of(volume)][:8]
    sides = list(scanner.print_out(pressing.run_of(job, page_code_keys(data_folder())), documents))
    sides.pop()  # the last one stayed at home
    rng = np.random.default_rng(SEED)
    scans = [_scan(side, rng) for side in sides]
    torn = tuple(Damage("stamp", corner, "black") for corner in (0, 1))
    blots = tuple(Damage("pen", corner) for corner in (0, 1) for _ in range(4))
    scans[-1] = _scan(sides[-1], rng, damages=torn + blots)
    strays = (delivery_note(rng), written_back(rng), written_back(rng))
    scans += [scanner.scan(stray, Recipe("office", dpi=DPI), rng) for stray in strays]
    _sent(row, scans, "Chartes 2DE, secretariat.pdf")


def _scan(
    paper: Paper,
    rng: np.random.Generator,
    *,
    is_signed: bool = True,
    damages: tuple[Damage, ...] = (),
) -> Scan:
    names = [zone.name for zone in paper.zones] if is_signed else []
    recipe = Recipe("office", dpi=DPI, damages=damages)
    return scanner.scan(paper, recipe, rng, signed=names)


def _sent(row: "models.School", scans: Sequence[Scan], label: str) -> None:
    """Send a pile as a school does, and wait until all that it completes is bound."""
    from docgen.backoffice import models
    from docgen.backoffice import scans as service

    with TemporaryDirectory() as place:
        path = Path(place, "pile.pdf")
        with path.open("wb") as stream:
            write_pdf(stream, scans)
        batch, _ = service.receive(path, row, label, "web", BY)
    batches = models.ScanBatch.objects.filter(pk=batch.pk)
    awaited("la lecture", lambda: batches.exclude(stage="received").exists())
    complete = models.Return.objects.filter(school=row, stage="complete")
    awaited("la reliure", lambda: not complete.exists())


def _attested(row: "models.School", today: date) -> None:
    """Bring an attestation to each of its states, a period and some tablets each."""
    from django.utils import timezone

    from docgen.backoffice import attestations, handovers, models, originals
    from docgen.backoffice.gate import SYSTEM

    waiting = list(models.Person.objects.filter(school=row, audience="pupil").order_by("rank"))
    states = ("received", "posted", "sent", "unsigned", "partial", "printed", "issued")
    for number, state in enumerate(states):
        start = today - timedelta(days=7 * (len(states) + 1 - number))
        for place in range(HANDED):
            serial = serial_number(3000 + number * HANDED + place)
            handovers.cede(waiting.pop(0), serial, start + timedelta(days=place), BY)
        end = start + timedelta(days=6)
        issued = attestations.issue(row, start, end, today, BY)
        paper = _pressed(issued)
        if state != "issued":
            originals.fetched(issued, BY)
        if state in {"received", "posted", "sent", "unsigned", "partial"}:
            _returned(row, paper, state, number)
        if state in {"received", "posted"}:
            originals.posted(issued, today, BY, today)
        if state == "received":
            issued.refresh_from_db()
            reference = originals.facts(issued)["reference"]
            originals.received(reference, SYSTEM, timezone.now())
    for person in waiting[:6]:
        serial = serial_number(3000 + len(states) * HANDED + waiting.index(person))
        handovers.cede(person, serial, today - timedelta(days=1), BY)


def _pressed(issued: "models.Attestation") -> bytes:
    from docgen.backoffice import store

    def is_done() -> bool:
        issued.refresh_from_db()
        return issued.state == "done"

    awaited("l’attestation", is_done)
    (sha256,) = (sha for name, sha in issued.files.items() if name.startswith("attestation"))
    with store.opened(sha256) as stream:
        return bytes(stream.read())


def _returned(row: "models.School", content: bytes, state: str, number: int) -> None:
    sides = posting.sides(content)
    rng = np.random.default_rng(SEED + number)
    scans = [_scan(side, rng, is_signed=state != "unsigned") for side in sides]
    _sent(row, scans[:1] if state == "partial" else scans, f"Attestation {number + 1}.pdf")


def _lent(row: "models.School", today: date) -> None:
    """Lend tablets: one is late, one came back, and conventions are written."""
    from docgen.backoffice import conventions, handovers, models

    pupils = models.Person.objects.filter(school=row, audience="pupil").order_by("rank")[:5]
    begun = today - timedelta(days=40)
    loans = [
        handovers.lend(
            pupil,
            serial_number(5000 + number),
            (begun, today + timedelta(days=200) if number else today - timedelta(days=3)),
            "Bon état",
            BY,
        )
        for number, pupil in enumerate(pupils)
    ]
    handovers.take_back(loans[-1], today - timedelta(days=2), BY)
    order = conventions.order(row, CONVENTION, BY, today, loans=loans[:2])
    rows = models.Conversion.objects.filter(pk=order.pk)
    awaited("les conventions", lambda: rows.filter(state="done").exists())


def _released(row: "models.School", shop: "models.PrintShop", today: date) -> None:
    """Leave two jobs with the shop, their sheets not yet counted."""
    from docgen.backoffice import releases

    for template in (CHARTER, TEACHERS):
        releases.release(_order(row, today, template=template), shop, BY)


def _spread(today: date) -> None:
    """Spread the charters that came home over the last weeks; raise the reminders of the day."""
    from docgen.backoffice import models, reminders

    for number, back in enumerate(models.Return.objects.filter(paper=None).order_by("pk")):
        ago = timedelta(days=3 + 9 * number % 60)
        moments = {"created_at": back.created_at - ago}
        if back.bound_at:
            moments["bound_at"] = back.bound_at - ago
        models.Return.objects.filter(pk=back.pk).update(**moments)
    reminders.raise_due(today)


def _accounts(first: "models.School", shop: "models.PrintShop") -> list[Account]:
    """Open an account of each role; their passwords are drawn, and told once."""
    from docgen.backoffice import accounts

    places: tuple[tuple[str, str, dict[str, str]], ...] = (
        ("gestionnaire", "back_office", {}),
        ("etablissement", "school", {"uai": SECOND.uai}),
        ("region", "region", {}),
        ("imprimeur", "print_shop", {"shop": shop.name}),
    )
    opened = []
    for login, role, bounds in places:
        user = accounts.open_account(login, role, BY, **bounds)
        password = secrets.token_urlsafe(12)
        user.set_password(password)
        user.save()
        place = SECOND.name if "uai" in bounds else bounds.get("shop", "")
        opened.append(Account(login, role, password, place))
    return opened


def awaited(what: str, is_done: Callable[[], Any]) -> None:
    """Wait for the workers.

    Raises:
        SystemExit: when it takes too long.
    """
    end = time.monotonic() + PATIENCE
    while not is_done():
        if time.monotonic() > end:
            raise SystemExit(f"La région d’exemple\u00a0: {what}, pas à temps.")
        time.sleep(LOOK)


def main() -> None:
    """Fill the service of this data folder, and print its accounts, a JSON object a line."""
    import django

    django.setup()
    today = date.today()  # noqa: DTZ011 - the region's own day
    for account in fill(today):
        facts = {name: getattr(account, name) for name in account.__slots__}
        print(json.dumps(facts, ensure_ascii=False), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
