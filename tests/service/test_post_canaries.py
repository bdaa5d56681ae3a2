"""Fifty made-up names go through the post: none is left where it has no business.

Those of a school's people, of its head, and those that mails show beside an address.
"""

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest
from django.conf import settings
from django.core.cache import cache
from django.test import Client

from docgen import records
from docgen.backoffice import (
    deliveries,
    departures,
    events,
    logs,
    mails,
    models,
    post,
    queue,
    registers,
    stages,
)
from docgen.mailing import words as phrases
from tests import helpers
from tests.hostile import mails as hostile
from tests.service import callers, town
from tests.service.mailservers import Fault, SmtpServer
from tests.service.test_api_canaries import contents
from tests.service.test_attestations import DAY, issue
from tests.service.test_attestations_home import ATTESTATION, SCANNED, printed
from workers.deliveries import compose_delivery, send_message
from workers.mails import read_mail, write_receipts
from workers.scans import bind_returns, read_scan

pytestmark = pytest.mark.django_db(transaction=True)
CANARIES = [f"CANARI{chr(65 + n // 26)}{chr(65 + n % 26)}QZX" for n in range(50)]
HEAD, SHOWN, *PUPILS = CANARIES
REGION, SCHOOL, OURS = "l-ec@maregionsud.fr", "lycee@exemple.fr", "docgen@exemple.fr"


@dataclass
class Places:
    """Where names have no business, with what is found there."""

    log: Path
    folder: Path
    server: SmtpServer
    answers: list[bytes]

    def hits(self, capfd: pytest.CaptureFixture[str]) -> list[str]:
        """Tell which names are where."""
        sent = [self.server.content(each.number) for each in self.server.accepted()]
        lines = [line for each in self.server.attempts for line in each.commands]
        places = {
            "commands": "\n".join(lines) + self.server.log.read_text(encoding="latin-1"),
            "headers": "\n".join(map(headers, sent)),
            "texts": "\n".join(text(each) for each in sent if f"To: {REGION}".encode() in each),
            "logs": self.log.read_text(),
            "what processes wrote": "".join(capfd.readouterr()),
            "events": str(list(models.Event.objects.values())),
            "messages of Celery": bells(),
            "errors": b"".join(self.answers).decode("latin-1"),
            "working": contents(settings.DATA / "working"),
            "uploads": contents(Path(settings.UPLOADS)),
        }
        return [f"{place}: {name}" for place, found in places.items() for name in names(found)]


def names(found: str) -> list[str]:
    """Give the names that are in a text, as they are or as mail writes them."""
    return [name for name in CANARIES if name in found]


def headers(content: bytes) -> str:
    """Give all the header fields of a mail and of its parts, decoded and as they travel."""
    letter = message_from_bytes(content, policy=default)
    told = [f"{name}: {value}" for part in letter.walk() for name, value in part.items()]
    return "\n".join(told) + content.partition(b"\r\n\r\n")[0].decode("ascii")


def text(content: bytes) -> str:
    """Give the text of a mail, and the names of its files."""
    letter = message_from_bytes(content, policy=default)
    body = letter.get_body(("plain",))
    assert body
    return str(body.get_content())


def bells() -> str:
    """Give the messages that hang in the broker."""
    end = time.monotonic() + 10
    while not queue._bells.empty() and time.monotonic() < end:
        time.sleep(0.05)
    if settings.BROKER_URL.startswith("filesystem"):
        return contents(settings.QUEUE_FOLDER)
    import redis

    with redis.Redis.from_url(settings.BROKER_URL) as broker:
        return str([(key, broker.lrange(key, 0, -1)) for key in ("press", "word")])


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Path]:
    """Give a file of all that is logged, at every level, by children too."""
    path = tmp_path / "said.log"
    handler = logging.FileHandler(path, mode="a")
    handler.setFormatter(logs.Line())
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield path
    root.removeHandler(handler)
    root.setLevel(level)
    handler.close()


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SmtpServer]:
    """Send by a real server; there is nowhere to look a message up."""
    cache.clear()
    with SmtpServer(tmp_path / "smtp") as made:
        told = {"DOCGEN_SMTP_URL": f"smtp://127.0.0.1:{made.port}", "DOCGEN_MAIL_FROM": OURS}
        monkeypatch.setattr(settings, "POST", post.read_post(settings.DATA, told))
        yield made


def town_of_canaries() -> models.School:
    """Give a school whose people all bear names that are looked for."""
    head = replace(helpers.school().head, name=HEAD)
    school = registers.keep_school(replace(helpers.school(), head=head, email=SCHOOL), "test")
    people = helpers.people(len(PUPILS))
    named = [replace(each, family_name=name) for each, name in zip(people, PUPILS, strict=True)]
    given = {each.id: records.Cession(f"T{each.id}", each.id, DAY) for each in named}
    devices = {f"T{each.id}": records.Device(f"T{each.id}", "iPad 10") for each in named}
    roster = records.Roster(tuple(named), "2026-2027", devices, given)
    registers.keep_roster(school, "pupil", roster, "test")
    return school


def arrived(content: bytes, folder: Path) -> None:
    """Have the mailbox bring a mail, and all that follows from it done."""
    number = models.Mail.objects.count()
    path = folder / f"{number}.eml"
    path.write_bytes(content)
    mails.receive(f"1/{number}", len(content), path)
    read_mail("1")
    read_scan("1")
    bind_returns("1")
    write_receipts("1")


def signed(school: models.School, folder: Path) -> models.Delivery:
    """Have an attestation issued, printed, signed, and mailed home by a copier; give its delivery.

    The copier names a person beside the school's address, and in the name of the file.
    """
    row = issue(school)
    sides = printed(row)[ATTESTATION]
    pile = town.pile(folder / "pile.pdf", sides, recipe=SCANNED).read_bytes()
    file = hostile.named(pile, f'filename="scan {SHOWN}.pdf"', "application/pdf")
    sender = f'From: "{SHOWN}" <{SCHOOL}>'
    arrived(hostile.mail(file, sender=sender, headers=[f"X-User: {SHOWN}"]), folder)
    return models.Delivery.objects.get(attestation=row)


def handed_over(*faults: Fault | None, server: SmtpServer) -> None:
    """Have what waits composed and handed over, a fault for each connection."""
    server.faults.extend(faults)
    compose_delivery("1")
    models.Message.objects.update(delayed_until=None)
    send_message("1")


def errors(office: Client, delivery: models.Delivery) -> list[bytes]:
    """Provoke refusals about a delivery, with names in what is sent."""
    where = f"/api/v1/deliveries/{delivery.pk}"
    told = [
        office.get(f"/api/v1/deliveries?stage={HEAD}"),
        office.get(f"/api/v1/deliveries/{HEAD}"),
        office.get(f"{where}/messages/{HEAD}.eml"),
        office.post(f"{where}/settle", {"sent": True}, "application/json"),
        office.post(f"{where}/settle", {"sent": HEAD, HEAD: 1}, "application/json"),
        office.post(f"{where}/release", {}, "application/json"),
        office.post("/api/v1/mail-way/approve", {"way": HEAD}, "application/json"),
    ]
    assert all(each.status_code >= 400 for each in told), [each.status_code for each in told]
    return [each.content for each in told]


def journey(folder: Path, server: SmtpServer) -> list[bytes]:
    """Follow an attestation to the region through all that goes wrong; give the error answers."""
    departures.approve("test")
    delivery = signed(town_of_canaries(), folder)
    office = Client(headers=callers.token("back_office"))
    send_message("1")  # the receipt
    busy = Fault("rcpt", f"451 4.2.1 <{SHOWN}> is busy")
    handed_over(busy, server=server)
    handed_over(Fault("data"), server=server)  # in the body, the whole may have gone already
    handed_over(Fault("dot", f"550 5.7.1 {SHOWN} wants no more of it"), server=server)
    assert stage(delivery) == "refused"
    deliveries.retry(delivery, "test")
    handed_over(Fault("dot"), server=server)
    assert stage(delivery) == "uncertain"
    deliveries.settle(delivery, "test", is_sent=False)
    handed_over(server=server)  # and then the school's copy
    handed_over(server=server)
    assert stage(delivery) == "sent"
    words = f"smtp; 550 5.1.1 <{SHOWN}> has left"
    arrived(hostile.bounce(delivery.messages.get().message_id, words=words), folder)
    arrived(hostile.plain("Absente", sender=f"From: {SHOWN} <{SCHOOL}>"), folder)
    assert stage(delivery) == "refused"
    told = errors(office, delivery)
    deliveries.retry(delivery, "test")
    handed_over(server=server)
    to = [each.recipient for each in server.accepted()]
    assert (to.count(REGION), to.count(SCHOOL) >= 2) == (2, True)  # a copy, and a receipt
    return told


def stage(delivery: models.Delivery) -> str:
    """Tell where a delivery is by now."""
    delivery.refresh_from_db()
    return delivery.stage


def test_no_name_is_left_on_the_way_to_the_region(
    tmp_path: Path, log: Path, server: SmtpServer, capfd: pytest.CaptureFixture[str]
) -> None:
    told = journey(tmp_path, server)
    assert Places(log, tmp_path, server, told).hits(capfd) == []
    # They are where they must be: nobody would miss a canary that was never let in.
    known = models.Person.objects.filter(family_name__in=CANARIES).count()
    assert known == len(PUPILS) == len(CANARIES) - 2
    assert models.School.objects.get().head_name == HEAD
    assert any(SHOWN in str(each.answers) for each in models.Message.objects.all())
    assert log.stat().st_size > 1000


@pytest.mark.embedded
def test_a_name_that_is_planted_is_found(
    tmp_path: Path,
    log: Path,
    server: SmtpServer,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In a subject, an event, a line of log: else this file would prove nothing."""
    plain, told = phrases.of_attestation, events.tell

    def named(about: phrases.Attested) -> phrases.Words:
        words = plain(about)
        return replace(words, subject=f"{words.subject} {HEAD}")

    def tell(kind: str, subject: str, **facts: object) -> None:
        logging.getLogger("docgen.planted").warning("told", extra={"who": PUPILS[0]})
        told(kind, subject, **{**facts, "who": PUPILS[1]})  # type: ignore[arg-type]

    monkeypatch.setattr(phrases, "of_attestation", named)
    for module in (stages, deliveries):
        monkeypatch.setattr(module, "tell", tell, raising=False)
    delivery = signed(town_of_canaries(), tmp_path)
    departures.approve("test")
    handed_over(server=server)
    assert stage(delivery) == "sent"
    hits = Places(log, tmp_path, server, []).hits(capfd)
    assert {f"headers: {HEAD}", f"logs: {PUPILS[0]}", f"events: {PUPILS[1]}"} <= set(hits)
