"""Schools, people and tablets: files brought in whole, and given back as records.

An import replaces what the last one said. People who are no longer in the files stay, marked
absent: their cessions are attested all the same.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from django.db import transaction
from django.db.models import Model, QuerySet
from django.db.models.functions import Now

from docgen import records
from docgen.backoffice import models
from docgen.backoffice.events import tell
from docgen.errors import Problem, RosterRejected

PERSON_COLUMNS = (
    *("school_year", "is_present", "rank", "family_name", "first_name", "usage_name"),
    *("birth_date", "division", "level", "ine", "civility", "function"),
)
BATCH = 1000
LABELS = {
    "family_name": "Nom de famille",
    "first_name": "Prénom",
    "usage_name": "Nom d’usage",
    "division": "Classe",
    "level": "Niveau",
    "ine": "INE",
    "civility": "Civilité",
    "function": "Fonction",
    "email": "Courriel",
    "phone": "Téléphone",
    "serial": "N° de série",
    "model": "Modèle",
    "state": "État",
    "name": "Nom",
    "city": "Ville",
    "postal_code": "Code postal",
    "head_name": "Chef d’établissement",
    "head_title": "Qualité",
    "head_civility": "Civilité du chef d’établissement",
}


def keep_school(school: records.School, by: str) -> models.School:
    """Keep a school as its file tells it.

    Raises:
        RosterRejected: for texts that are too long.
    """
    facts: dict[str, object] = {
        "name": school.name,
        "address": list(school.address),
        "postal_code": school.postal_code,
        "city": school.city,
        "email": school.email,
        "phone": school.phone,
        "head_civility": school.head.civility,
        "head_name": school.head.name,
        "head_title": school.head.title,
    }
    if problems := list(_misfits(models.School, facts, f"établissement {school.uai}")):
        raise RosterRejected(problems)
    with transaction.atomic():
        row, made = models.School.objects.update_or_create(uai=school.uai, defaults=facts)
        tell("school-added" if made else "school-changed", school.uai, school=school.uai, actor=by)
    return row


def school(row: models.School) -> records.School:
    """Give a school as a record."""
    return records.School(
        *(row.uai, row.name, tuple(row.address), row.postal_code, row.city, row.email, row.phone),
        records.Head(row.head_civility, row.head_name, row.head_title),
    )


def keep_roster(
    school: models.School, audience: records.Audience, roster: records.Roster, by: str
) -> dict[str, int]:
    """Keep the people, the stock and the cessions of a school's files; give the counts.

    Raises:
        RosterRejected: with all that cannot be kept: texts that are too long, tablets that are
            somebody's, people who have another.
    """
    with transaction.atomic():
        models.School.objects.select_for_update().get(pk=school.pk)
        if problems := unkept(school, audience, roster):
            raise RosterRejected(problems)
        counts = _keep_people(school, audience, roster)
        if roster.devices:
            _keep_devices(school, roster.devices.values())
        counts["cessions"] = _keep_cessions(school, audience, roster.cessions.values())
        counts["devices"] = len(roster.devices)
        tell("roster-imported", school.pk, school=school.pk, actor=by, audience=audience, **counts)
    return counts


def unkept(
    school: models.School, audience: records.Audience, roster: records.Roster
) -> list[Problem]:
    """Say all that keeps a roster from being kept."""
    return [*_unfit(roster), *_contested(school, audience, roster.cessions.values())]


def _unfit(roster: records.Roster) -> Iterator[Problem]:
    for person in roster.people:
        where = f"personne {person.id}"
        yield from _misfits(models.Person, _texts(person), where)
        for rank, guardian in enumerate(person.guardians, 1):
            place = f"{where}, représentant légal {rank}"
            yield from _misfits(models.Guardian, _texts(guardian), place)
    for device in roster.devices.values():
        yield from _misfits(models.Device, _texts(device), f"tablette {device.serial}")


def _texts(record: records.Person | records.Guardian | records.Device) -> dict[str, object]:
    return {name: getattr(record, name) for name in record.__slots__ if name in LABELS}


def _misfits(table: type[Model], facts: Mapping[str, object], where: str) -> Iterator[Problem]:
    """Say which texts a table cannot hold: PostgreSQL refuses them, SQLite would say nothing."""
    for name, text in facts.items():
        if not isinstance(text, str):
            continue
        most: int = getattr(table._meta.get_field(name), "max_length")  # noqa: B009 - untyped
        label = f"«\u00a0{LABELS[name]}\u00a0»\u00a0:"
        if len(text) > most:
            what = f"{label} {len(text)} caractères, pour {most} au plus."
            yield Problem(what, where, "Abrégez-le dans le fichier.")
        elif "\0" in text:
            what = f"{label} un caractère invisible s’y trouve."
            yield Problem(what, where, "Ressaisissez-le dans le fichier.")


def _contested(
    school: models.School, audience: str, cessions: Iterable[records.Cession]
) -> Iterator[Problem]:
    """Find the cessions that the register contradicts, or a loan: a person settles these."""
    current = models.Cession.objects.filter(school=school, cancelled_at=None)
    columns = ("serial", "person__audience", "person__internal_id")
    holders = {serial: tuple(person) for serial, *person in current.values_list(*columns)}
    held = {person: serial for serial, person in holders.items()}
    loans = models.Loan.objects.filter(school=school, returned_date=None)
    lent = set(loans.values_list("serial", flat=True))
    remedy = "Annulez d’abord l’autre cession."
    for each in cessions:
        person, place = (audience, each.person_id), f"tablette {each.serial}"
        if holders.get(each.serial, person) != person:
            what = "cette tablette est déjà cédée à une autre personne."
            yield Problem(what, place, remedy)
        elif each.serial not in holders and each.serial in lent:
            yield Problem("cette tablette est en prêt.", place, "Enregistrez d’abord son retour.")
        elif held.get(person, each.serial) != each.serial:
            what = "cette personne a déjà reçu une autre tablette."
            yield Problem(what, f"personne {each.person_id}", remedy)


def _keep_people(school: models.School, audience: str, roster: records.Roster) -> dict[str, int]:
    people = models.Person.objects.filter(school=school, audience=audience)
    before = people.filter(is_present=True).count()
    people.update(is_present=False)
    rows = [
        models.Person(
            school=school,
            audience=audience,
            internal_id=each.id,
            school_year=roster.school_year,
            is_present=True,
            rank=rank,
            **{
                name: getattr(each, name)
                for name in PERSON_COLUMNS
                if name not in ("school_year", "is_present", "rank")
            },
        )
        for rank, each in enumerate(roster.people)
    ]
    models.Person.objects.bulk_create(
        rows,
        batch_size=BATCH,
        update_conflicts=True,
        unique_fields=("school", "audience", "internal_id"),
        update_fields=PERSON_COLUMNS,
    )
    ids = dict(people.filter(is_present=True).values_list("internal_id", "pk"))
    models.Guardian.objects.filter(person__school=school, person__audience=audience).delete()
    guardians = [
        models.Guardian(
            person_id=ids[person.id],
            rank=rank,
            civility=each.civility,
            family_name=each.family_name,
            first_name=each.first_name,
            email=each.email,
            phone=each.phone,
        )
        for person in roster.people
        for rank, each in enumerate(person.guardians)
    ]
    models.Guardian.objects.bulk_create(guardians, batch_size=BATCH)
    return {"people": len(rows), "people_before": before}


def _keep_devices(school: models.School, devices: Iterable[records.Device]) -> None:
    rows = [
        models.Device(school=school, serial=each.serial, model=each.model, state=each.state)
        for each in devices
    ]
    models.Device.objects.filter(school=school).exclude(
        serial__in=[row.serial for row in rows]
    ).delete()
    models.Device.objects.bulk_create(
        rows,
        batch_size=BATCH,
        update_conflicts=True,
        unique_fields=("school", "serial"),
        update_fields=("model", "state"),
    )


def _keep_cessions(
    school: models.School, audience: str, cessions: Iterable[records.Cession]
) -> int:
    """Add the cessions that are new and date those that were not; none is taken away here."""
    people = models.Person.objects.filter(school=school, audience=audience)
    ids = dict(people.values_list("internal_id", "pk"))
    current = {
        row.serial: row
        for row in models.Cession.objects.select_for_update().filter(
            school=school, cancelled_at=None
        )
    }
    new, dated = [], []
    for each in cessions:
        row = current.get(each.serial)
        if row is None:
            new.append(
                models.Cession(
                    school=school,
                    person_id=ids[each.person_id],
                    serial=each.serial,
                    ceded_date=each.ceded_date,
                )
            )
        elif each.ceded_date and row.ceded_date != each.ceded_date:
            row.ceded_date = each.ceded_date
            dated.append(row)
    models.Cession.objects.bulk_create(new, batch_size=BATCH)
    models.Cession.objects.bulk_update(dated, ("ceded_date",), batch_size=BATCH)
    return len(new) + len(dated)


def cancel_cession(cession: models.Cession, by: str) -> None:
    """Take a cession off the register; its row stays, and an attestation withdraws it."""
    with transaction.atomic():
        rows = models.Cession.objects.filter(pk=cession.pk, cancelled_at=None)
        if rows.update(cancelled_at=Now()):
            tell("cession-cancelled", cession.serial, school=cession.school_id, actor=by)


def roster(
    school: models.School,
    audience: records.Audience,
    divisions: Sequence[str] = (),
    people: Collection[str] = (),
) -> records.Roster:
    """Give the people of a school who are present, and what they received, as records.

    `divisions` and `people` (internal identifiers) narrow it: one person is read at once.

    The school's row is locked meanwhile: what is read is what one import left.
    """
    with transaction.atomic():
        models.School.objects.select_for_update(no_key=True).get(pk=school.pk)
        present = models.Person.objects.filter(school=school, audience=audience, is_present=True)
        present = present.filter(division__in=divisions) if divisions else present
        present = present.filter(internal_id__in=people) if people else present
        return _roster(school, audience, present)


def _roster(
    school: models.School, audience: records.Audience, present: QuerySet[models.Person]
) -> records.Roster:
    people = list(present.prefetch_related("guardians").order_by("rank"))
    kept = models.Cession.objects.filter(
        school=school, person__audience=audience, cancelled_at=None
    ).select_related("person")
    cessions = {
        row.person.internal_id: records.Cession(row.serial, row.person.internal_id, row.ceded_date)
        for row in kept.order_by("pk")
    }
    return records.Roster(
        tuple(person(each) for each in people),
        school_year=people[0].school_year if people else "",
        devices={
            row.serial: records.Device(row.serial, row.model, row.state)
            for row in models.Device.objects.filter(school=school)
        },
        cessions=cessions,
    )


def person(row: models.Person) -> records.Person:
    """Give a person as a record."""
    guardians = sorted(row.guardians.all(), key=lambda each: each.rank)
    return records.Person(
        row.internal_id,
        *(row.family_name, row.first_name, row.usage_name, row.birth_date, row.division),
        *(row.level, row.ine, row.civility, row.function),
        tuple(
            records.Guardian(
                each.family_name, each.first_name, each.civility, each.email, each.phone
            )
            for each in guardians
        ),
    )
