"""What happened to a document, a job, a school: events, by what they are about."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_safe

from docgen.backoffice.models import (
    Attestation,
    Client,
    Delivery,
    Document,
    Event,
    Paper,
    Reminder,
    Return,
    Role,
    ScannedPage,
    School,
    User,
    Volume,
)
from docgen.backoffice.web import sentences
from docgen.backoffice.web.frame import BACK_OFFICE, REGION, SCHOOL, Asked, page, screen, seen
from docgen.backoffice.web.lists import Filter, Listing
from docgen.errors import CodeRefused
from docgen.identifiers import UAI_SHAPE
from docgen.pagecode import parse_reference

LONGEST = 80  # characters of a subject
MOST = 500  # subjects that one search gathers
ACTORS = {
    "docgen": "docgen",
    "mailbox": "la boîte aux lettres",
    "cli": "une commande sur le serveur",
    "command": "une commande sur le serveur",
    "link": "un lien remis à l’imprimeur",
}


@dataclass(frozen=True, slots=True)
class Line:
    """An event as a person reads it."""

    event: Event
    sentence: str
    counts: str
    actor: str
    about: str
    address: str


@require_safe
@screen(BACK_OFFICE, SCHOOL, REGION)
def history(request: Asked) -> HttpResponse:
    """Show what happened, the last first: to one thing, or to all that is seen."""
    subject = "".join(request.GET.get("sujet", "").replace("\0", "").split())[:LONGEST]
    rows, about = seen(Event, request), ""
    if subject:
        wanted, about = _wanted(request, subject)
        rows = rows.filter(wanted)
    families = [(name, label) for name, label, _ in sentences.FAMILIES]
    if request.user.role != Role.BACK_OFFICE:
        families = [each for each in families if each[0] not in ("comptes", "service")]
    listing = Listing(
        request,
        rows,
        sorts={"recent": ("-pk",)},
        filters=(
            Filter("sujet", "Sujet", [(subject, subject)] if subject else [], _all),
            Filter("famille", "Quoi", families, _of_family),
        ),
    )
    facts = {
        "listing": listing,
        "family": listing.filters[1],
        "subject": subject,
        "about": about,
        "lines": list(_lines(request, listing.rows)),
        "is_school": request.user.role == Role.SCHOOL,
    }
    return page(request, "web/history/history.html", facts)


def _all(rows: QuerySet[Event], value: str) -> QuerySet[Event]:
    return rows


def _of_family(rows: QuerySet[Event], value: str) -> QuerySet[Event]:
    return rows.filter(kind__in=sentences.kinds_of(value))


def _wanted(request: Asked, typed: str) -> tuple[Q, str]:
    """Tell which events a subject calls for, and what it is."""
    capitals = typed.upper()
    if UAI_SHAPE.fullmatch(capitals):
        school = seen(School, request).filter(pk=capitals).first()
        return Q(school=capitals), f"{school.name}, {capitals}" if school else capitals
    try:
        reference = parse_reference(capitals)
    except CodeRefused:
        reference = ""
    if reference:
        subjects = set(_subjects_of(request, reference))
        return Q(subject__in=sorted(subjects)[:MOST]), f"document {reference}"
    identifier = _uuid(typed)
    if identifier is None:
        return Q(subject__in={typed, capitals}), typed
    return Q(subject__in=[str(identifier), *_below(request, identifier)][:MOST]), str(identifier)


def _subjects_of(request: Asked, reference: str) -> Iterator[str]:
    """Give all that a document went through: its job, its return, its scans, its mailing."""
    documents = seen(Document, request).filter(reference=reference)
    for job, number in documents.values_list("volume__job", "volume__number"):
        yield from (str(job), f"{job}/{number}")
    papers = seen(Paper, request).filter(reference=reference)
    for attestation, convention in papers.values_list(
        "attestation__public_id", "conversion__public_id"
    ):
        if attestation:
            yield str(attestation)
            yield from _below(request, attestation)
        if convention:
            yield str(convention)
    for back in seen(Return, request).filter(reference=reference).values_list("pk", flat=True):
        yield str(back)
        yield from _scans_of(request, back)


def _scans_of(request: Asked, back: UUID) -> Iterator[str]:
    """Give the scanned sides of a document, and the files that they came in."""
    sides = seen(ScannedPage, request).filter(back=back)
    for side, batch in sides.values_list("public_id", "batch_id")[:MOST]:
        yield from (str(side), str(batch))


def _below(request: Asked, identifier: UUID) -> Iterator[str]:
    """Give what else bears the life of a thing: volumes of a job, mailing of an attestation."""
    volumes = seen(Volume, request).filter(job=identifier).order_by("number")
    yield from (f"{identifier}/{number}" for number in volumes.values_list("number", flat=True))
    attestation = seen(Attestation, request).filter(public_id=identifier).first()
    if attestation:
        for model in (Delivery, Reminder):
            rows = seen(model, request).filter(attestation=attestation)
            yield from map(str, rows.values_list("pk", flat=True))
    yield from set(_scans_of(request, identifier))


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _lines(request: Asked, events: Iterable[Event]) -> Iterator[Line]:
    events = list(events)
    logins = _logins(request, {each.actor for each in events})
    for each in events:
        yield Line(
            each,
            sentences.sentence(each.kind),
            sentences.counts(each.facts),
            _actor(request, each.actor, logins),
            *_about(request, each),
        )


def _logins(request: Asked, actors: set[str]) -> dict[str, str]:
    """Name who acted, for the back office alone; two queries, however many lines."""
    if request.user.role != Role.BACK_OFFICE:
        return {}
    numbers = {kind: _numbers(kind, actors) for kind in ("user", "client")}
    users = seen(User, request).filter(pk__in=numbers["user"]).values_list("pk", "username")
    clients = seen(Client, request).filter(pk__in=numbers["client"]).values_list("pk", "name")
    named = {f"user:{number}": login for number, login in users}
    return named | {f"client:{number}": f"programme {name}" for number, name in clients}


def _numbers(kind: str, actors: set[str]) -> list[int]:
    pairs = (each.partition(":") for each in actors)
    return [int(number) for head, _, number in pairs if head == kind and number.isdecimal()]


def _actor(request: Asked, actor: str, logins: dict[str, str]) -> str:
    if actor == request.who.label:
        return "vous"
    head = actor.partition(":")[0]
    usual = {"user": "une autre personne", "client": "un programme"}
    return logins.get(actor) or ACTORS.get(head) or usual.get(head) or actor


def _about(request: Asked, event: Event) -> tuple[str, str]:
    """Say what an event is about, and where to see it; "" when there is no such page."""
    head, subject = event.kind.split("-")[0], event.subject
    identifier = _uuid(subject.partition("/")[0])
    if identifier is None:
        is_account = subject.startswith("user:") and request.user.role == Role.BACK_OFFICE
        number = subject.partition(":")[2]
        if is_account and number.isdecimal():
            return subject, reverse("account-of", args=(int(number),))
        return subject, ""
    short = str(identifier)[:8]
    if head in ("job", "volume") and request.user.role != Role.REGION:
        return f"lot {short}", reverse("job", args=(identifier,))
    if head in ("attestation", "original") and event.school and request.user.role != Role.REGION:
        return f"attestation {short}", reverse("attestation", args=(event.school, identifier))
    if head == "delivery" and request.user.role == Role.BACK_OFFICE:
        return f"envoi {short}", reverse("delivery", args=(identifier,))
    return short, ""


urls: list[URLPattern] = [
    path("historique/", history, name="history"),
]
