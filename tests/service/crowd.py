"""Many of everything, in bulk: rows like those of a school of `world`, but for what makes each one.

`of_school` gives a school a whole life of its own, and so fills a region; `of_facts` adds to what
the facts of a school name (its job, its scan, its delivery…), so that every page has longer lists.
The same seed makes the same crowd.
"""

from collections.abc import Sequence
from datetime import timedelta

from docgen.backoffice import bulk, models
from docgen.identifiers import uai_letter
from tests.service import crowd_papers
from tests.service.crowd_rows import NOW, Crowd, Sizes, kept, like

FAMILY = ("Martin", "Bernard", "Petit", "Durand", "Leroy", "Moreau", "Simon", "Michel", "Garcia")
FIRST = ("Ana", "Zoé", "Inès", "Léa", "Jade", "Adam", "Noé", "Gabriel", "Aïcha", "Yanis")
STAGES = ("accepted", "ready", "released", "printed", "failed")


def region(crowd: Crowd, schools: int, sizes: Sizes) -> list[models.School]:
    """Fill a region with schools, each of this size."""
    first = models.School.objects.count() + 1000
    uais = (f"013{first + index:04}" for index in range(schools))
    places = [(uai + uai_letter(uai), f"Lycée {crowd.rng.choice(FAMILY)} {uai}") for uai in uais]
    kept(like(crowd.school, uai=uai, name=name, changed_at=NOW) for uai, name in places)
    found = [models.School.objects.get(pk=uai) for uai, _ in places]
    for school in found:
        of_school(crowd, school, sizes)
    return found


def of_school(crowd: Crowd, school: models.School, sizes: Sizes) -> None:
    """Give a school people, tablets, papers on their way out and home, mails and a history."""
    people = _people(crowd, school, sizes)
    _tablets(crowd, school, people, sizes)
    jobs = kept(_job(crowd, school) for _ in range(sizes.jobs))
    for job in jobs:
        volumes_of(crowd, job, people, sizes)
    papers = crowd_papers.attestations_of(crowd, school, sizes)
    backs = crowd_papers.returns_of(crowd, school, jobs, papers)
    for _ in range(sizes.scans):
        crowd_papers.scan_of(crowd, school, backs, sizes)
    crowd_papers.post_of(crowd, school, sizes)
    _accounts(crowd, school, sizes)
    subjects = [str(job.pk) for job in jobs] + [school.pk]
    _events(crowd, school, subjects, sizes.events)


def _people(crowd: Crowd, school: models.School, sizes: Sizes) -> list[models.Person]:
    rng = crowd.rng
    people = kept(
        like(
            crowd.person,
            school_id=school.pk,
            internal_id=f"K{crowd.number()}",
            audience="teacher" if rng.random() < 0.1 else "pupil",
            family_name=f"{rng.choice(FAMILY)}-{rng.choice(FAMILY)}".upper(),
            first_name=rng.choice(FIRST),
            division=f"{rng.choice(('2DE', '1RE', 'TLE'))} {rng.randrange(1, 10)}",
        )
        for _ in range(sizes.people)
    )
    guardian = {"family_name": rng.choice(FAMILY), "first_name": rng.choice(FIRST)}
    bulk.insert([models.Guardian(person=each, rank=1, **guardian) for each in people])
    return people


def _tablets(
    crowd: Crowd, school: models.School, people: Sequence[models.Person], sizes: Sizes
) -> None:
    rng, of = crowd.rng, {"school_id": school.pk}
    serials = [f"HB{crowd.number():06}" for _ in range(sizes.cessions + sizes.loans + 1)]
    ceded, lent = serials[: sizes.cessions], serials[sizes.cessions : -1]
    bulk.insert([models.Device(serial=each, model="Tablette", **of) for each in serials])
    holders = [people[index % len(people)] for index in range(sizes.cessions)]
    bulk.insert(
        [
            models.Cession(
                person=holder,
                serial=serial,
                ceded_date=crowd.day() if rng.random() < 0.95 else None,
                cancelled_at=NOW if rng.random() < 0.05 else None,
                **of,
            )
            for holder, serial in zip(holders, ceded, strict=True)
        ]
    )
    bulk.insert(
        [
            like(
                crowd.loan,
                **of,
                person_id=rng.choice(people).pk,
                serial=serial,
                end_date=NOW.date() + timedelta(rng.randrange(-30, 200)),
                returned_date=crowd.day() if rng.random() < 0.4 else None,
            )
            for serial in lent
        ]
    )


def _job(crowd: Crowd, school: models.School) -> models.PrintJob:
    stage, at = crowd.rng.choice(STAGES), crowd.moment()
    where = {"school_id": school.pk, "stage": stage, "created_at": at}
    name = f"{crowd.job.name} {crowd.number()}"
    shop = crowd.job.shop_id if stage in ("released", "printed") else None
    return like(crowd.job, id=crowd.uuid(), name=name, shop_id=shop, **where)


def volumes_of(
    crowd: Crowd, job: models.PrintJob, people: Sequence[models.Person], sizes: Sizes
) -> None:
    """Give a job more volumes, and documents in each."""
    first = job.volumes.count() + 1
    volumes = kept(
        like(crowd.volume, job_id=job.pk, number=first + index, documents=sizes.documents)
        for index in range(sizes.volumes)
    )
    rows = []
    for volume in volumes:
        for position in range(sizes.documents):
            person, number = crowd.rng.choice(people), crowd.rng.randbytes(6)
            who = {"person": person.internal_id, "division": person.division}
            title = f"{person.family_name} {person.first_name}"
            place = {"volume_id": volume.pk, "position": position, "number": number}
            reference = f"R{crowd.number():09}"
            rows.append(like(crowd.document, **place, reference=reference, title=title, **who))
    bulk.insert(rows)


def _accounts(crowd: Crowd, school: models.School, sizes: Sizes) -> None:
    of = {"role": "school", "school_id": school.pk}
    kept(models.User(username=f"compte{crowd.number()}", **of) for _ in range(sizes.accounts))
    names = (f"logiciel {crowd.number()}" for _ in range(sizes.accounts))
    at = {"expires_at": NOW, "created_at": NOW}
    kept(models.Client(name=name, digest=name, **at, **of) for name in names)


def _events(crowd: Crowd, school: models.School, subjects: Sequence[str], count: int) -> None:
    kinds = ("job-cancelled", "scan-received", "scan-read", "loan-added", "convention-ready")
    bulk.insert(
        [
            models.Event(
                at=crowd.moment(),
                kind=kinds[index % len(kinds)],
                school=school.pk,
                subject=subjects[index % len(subjects)],
                actor="user:1",
                facts={"documents": index},
            )
            for index in range(count)
        ]
    )


def of_facts(crowd: Crowd, sizes: Sizes) -> None:
    """Add to all that the facts of a school name, so that each of its pages is longer."""
    school, facts = crowd.school, crowd.like
    of_school(crowd, school, sizes)
    people = list(models.Person.objects.filter(school=school).order_by("pk")[:200])
    volumes_of(crowd, crowd.job, people, sizes)
    backs = list(models.Return.objects.filter(school=school).order_by("pk")[:200])
    crowd_papers.sides_of(crowd, crowd.scan, backs, sizes.sides)
    bulk.insert(crowd_papers.steps_of(crowd.side, sizes.events))
    bulk.insert(crowd_papers.papers_of(crowd, [crowd.attestation], sizes.papers))
    for _ in range(sizes.attestations):
        crowd_papers.deliveries_of(crowd, crowd.attestation, messages=2)
    crowd_papers.messages_of(crowd, crowd.delivery, sizes.mails)
    _attest_more(crowd, sizes.cessions)
    names = ("job", "scan", "attestation", "delivery", "convention", "mail", "document")
    subjects = [str(facts[name]) for name in names]
    seen = models.Event.objects.filter(school=school.pk).values_list("subject", flat=True)
    _events(crowd, school, [*subjects, *sorted(set(seen[:200]))], 20 * sizes.events)


def _attest_more(crowd: Crowd, count: int) -> None:
    of = {"attestation": crowd.attestation, "school": crowd.school}
    numbers = [crowd.number() for _ in range(count)]
    bulk.insert([models.AttestedCession(serial=f"HC{n:06}", person=f"E{n}", **of) for n in numbers])
