"""Two schools with everything there is to see, and one caller of each kind.

Everything of a school bears its mark, `CANARI-ARLES` or `CANARI-BERRE`: what one of them must not
be shown is found in an answer by its mark.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django.core.cache import cache
from django.db import transaction
from django.utils import timezone

from docgen import pagecode, records
from docgen.backoffice import (
    attestations,
    conventions,
    gate,
    handovers,
    hooks,
    links,
    models,
    originals,
    outbox,
    print_jobs,
    registers,
    releases,
    tokens,
)
from docgen.backoffice.api.access import SCOPES
from docgen.datafolder import data_folder, page_code_key
from docgen.identifiers import uai_letter
from docgen.press import prepare
from tests import helpers
from tests.service import callers, homecoming, mailroom, town
from workers.conventions import convert_word
from workers.print_jobs import print_volume

Facts = dict[str, Any]


@dataclass
class World:
    """Two schools, each with people, tablets, a job and a shop; and one caller of each kind."""

    arles: Facts
    berre: Facts
    headers: dict[str, dict[str, str]]
    people: dict[str, models.User]


def place(digits: str, name: str) -> tuple[Facts, models.School, models.PrintShop]:
    """Make a school in which everything there is to see bears its name."""
    uai = digits + uai_letter(digits)
    school = town.school(uai)
    persons = tuple(helpers.people(2, first_name=f"CANARI-{name}", division=f"2DE {name}"))
    devices = {s: records.Device(s, f"CANARI-{name}") for s in ("HA200001", "HA200002", "HA200003")}
    roster = records.Roster(persons, "2026-2027", devices)
    registers.keep_roster(school, "pupil", roster, "test")
    first, second = models.Person.objects.filter(school=school).order_by("pk")
    cession = handovers.cede(first, "HA200001", date(2026, 9, 14), "test")
    days = date(2026, 9, 14), date(2027, 6, 30)
    loan = handovers.lend(first, "HA200002", days, f"CANARI-{name}", "test")
    shop = models.PrintShop.objects.create(name=f"Imprimerie CANARI-{name}")
    order = helpers.order(
        (), school=registers.school(school), roster=registers.roster(school, "pupil"), copies=1
    )
    made = prepare(order, page_code_key(data_folder()), data_folder() / "cache")
    job = print_jobs.create(made, "test")
    print_volume("1")
    job.refresh_from_db()
    job = releases.release(job, shop, "test")
    facts = (
        papers(school, loan, job)
        | homecoming.facts(school, job, f"CANARI-{name}")
        | {
            "uai": uai,
            "person": first.pk,
            "second": second.pk,
            "cession": cession.pk,
            "loan": loan.pk,
            "job": str(job.pk),
            "number": 1,
            "shop": shop.pk,
            "slug": "petite-charte",
            "token": links.make(job, "manifest.csv", 2**33),
            "delivery": str(mailroom.delivery(school).pk),
            "part": 1,
            "mail": mail(school, f"CANARI-{name}"),
            "marks": (uai, f"CANARI-{name}", str(job.pk)),
        }
    )
    return facts, school, shop


def papers(school: models.School, loan: models.Loan, job: models.PrintJob) -> Facts:
    """Give a school an attestation, a convention, and a model that it gave back."""
    period = date(2026, 9, 1), date(2026, 9, 30), date(2026, 10, 1)
    attestation = attestations.issue(school, *period, "test")
    sha256 = job.volumes.get().sha256
    models.Attestation.objects.filter(pk=attestation.pk).update(
        state="done", files={"attestation-x.pdf": sha256}
    )
    original = printed(attestation)
    template = "convention-pret-eleve"
    day = date(2026, 9, 14)
    convention = conventions.order(school, template, "test", day, loans=[loan])
    convert_word("1")
    convention.refresh_from_db()
    (file,) = convention.files
    models.SchoolModel.objects.create(
        school=school, slug=template, sha256=sha256, accepted_by="test"
    )
    return {
        "attestation": str(attestation.public_id),
        "paper": "attestation",
        "original": original,
        "convention": str(convention.public_id),
        "file": file,
        "template": template,
    }


def printed(attestation: models.Attestation) -> str:
    """Print an attestation, whose original the region has; give its reference."""
    number = attestation.public_id.bytes[:6]
    reference = pagecode.reference("AT", number)
    references = {originals.MAILED: reference}
    models.Attestation.objects.filter(pk=attestation.pk).update(references=references)
    facts = {"slug": originals.MAILED, "title": "Attestation de cession", "is_mailed": True}
    facts |= {"reference": reference, "width": 595.0, "height": 842.0, "sides": 2}
    models.Paper.objects.create(
        number=number, attestation=attestation, school_id=attestation.school_id, **facts
    )
    originals.received(reference, gate.SYSTEM, timezone.now())
    return reference


def hook(school: models.School, name: str) -> str:
    """Give a school's program a hook, and a call in its log."""
    client = models.Client.objects.get(school=school)
    url = f"https://hooks.example.org/CANARI-{name}"
    row, _ = hooks.create(client, url, outbox.KINDS, "test")
    hooks.test(row, "test")
    return str(row.public_id)


def mail(school: models.School, mark: str) -> str:
    """Give a school a mail that was put aside."""
    refused = [{"label": mark, "reason": "archive", "problems": []}]
    facts = {"box": mark, "sha256": "0" * 64, "size": 1, "reason": "archive", "state": "done"}
    row = models.Mail.objects.create(school=school, verdict="quarantine", refused=refused, **facts)
    return str(row.pk)


def build() -> World:
    """Make the world; templates are those of the tests (`DOCGEN_TEMPLATES`)."""
    cache.clear()
    arles, school_a, shop_a = place("0130001", "ARLES")
    berre, school_b, shop_b = place("0130002", "BERRE")
    rights: dict[str, tuple[str, models.School | None, models.PrintShop | None]] = {
        "office": ("back_office", None, None),
        "arles": ("school", school_a, None),
        "berre": ("school", school_b, None),
        "region": ("region", None, None),
        "shop_arles": ("print_shop", None, shop_a),
        "shop_berre": ("print_shop", None, shop_b),
    }
    headers = {name: callers.token(*right) for name, right in rights.items()}
    arles["hook"], berre["hook"] = hook(school_a, "ARLES"), hook(school_b, "BERRE")
    people = {
        name: models.User.objects.create_user(
            name, password="x" * 20, role=role, school=school, shop=shop
        )
        for name, (role, school, shop) in rights.items()
    }
    for name, facts in (("arles", arles), ("berre", berre)):
        owner = people[name]
        facts["account"] = owner.pk
        # No template was sent: what a trial shows is told in test_screen_templates.
        facts |= {"trial": str(UUID(int=0)), "version": "docgen"}
        facts["program"] = models.Client.objects.get(school=owner.school).pk
    row, revoked = tokens.issue("x", "back_office", SCOPES, "test")
    tokens.revoke(row, "test")
    headers |= {
        "anonymous": {},
        "expired": callers.token("back_office", lifetime=timedelta(seconds=-1)),
        "revoked": {"Authorization": f"Bearer {revoked}"},
        "bare": callers.token("back_office", scopes=()),
    }
    return World(arles, berre, headers, people)


def filled(value: Any, facts: Mapping[str, Any]) -> Any:  # noqa: ANN401
    """Put the world's names where the table has `{…}`; a number stays a number."""
    if isinstance(value, dict):
        return {name: filled(each, facts) for name, each in value.items()}
    if isinstance(value, list):
        return [filled(each, facts) for each in value]
    if not isinstance(value, str):
        return value
    if whole := re.fullmatch(r"\{(\w+)\}", value):
        return facts[whole[1]]
    return re.sub(r"\{(\w+)\}", lambda found: str(facts[found[1]]), value)


@contextmanager
def undone() -> Iterator[None]:
    """Do something, and take it back."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
