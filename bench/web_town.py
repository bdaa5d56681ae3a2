"""The region that screens are timed in: 200 schools, 60,000 people, 300,000 documents, and more.

One school has everything twice, and every list of its own papers is long: its pages are opened.
"""

import time

from django.db import connection, transaction

from bench import web_copies
from docgen.backoffice import models
from tests.service import crowd
from tests.service.crowd_rows import Crowd, Sizes
from tests.service.world import World, build

SCHOOLS = 200
MADE, COPIES = 11, 17  # the database copies the schools that we make: 2 + 11 + 11 * 17 = 200
OF_A_SCHOOL = Sizes(
    people=300,
    cessions=250,
    loans=25,
    jobs=10,
    volumes=3,
    documents=50,
    attestations=5,
    scans=12,
    sides=40,
    mails=5,
    reminders=6,
    events=1000,
    accounts=2,
)
LONGER = Sizes(  # a large school: 3,000 documents, a third of them in one job
    people=300,
    cessions=250,
    loans=25,
    jobs=2,
    volumes=8,
    documents=125,
    attestations=5,
    scans=12,
    sides=150,
    mails=5,
    reminders=6,
    events=100,
    accounts=20,
)
# The history grows by itself: the database writes faster than we do.
EVENTS_TWICE = 2
TWICE = (
    "INSERT INTO backoffice_event (at, kind, school, subject, actor, facts) "
    "SELECT at, kind, school, subject, actor, facts FROM backoffice_event"
)


def settle(*, is_small: bool = False) -> World:
    """Fill the region; a small one says nothing of how long a page takes."""
    start = time.perf_counter()
    world = build()
    many = Crowd(world.arles)
    with transaction.atomic():
        crowd.of_facts(many, LONGER)
    made = []
    is_copied = connection.vendor == "postgresql"
    for _ in range(3 if is_small else MADE if is_copied else SCHOOLS - 2):
        with transaction.atomic():
            made += crowd.region(many, 1, OF_A_SCHOOL)
    if is_copied:
        web_copies.copy([school.pk for school in made], 1 if is_small else COPIES)
    with connection.cursor() as cursor:
        for _ in range(EVENTS_TWICE):
            cursor.execute(TWICE)
        cursor.execute("ANALYZE")
    tables = (
        *(models.School, models.Person, models.Document, models.Cession, models.Attestation),
        *(models.Return, models.ScannedPage, models.Delivery, models.Message, models.Event),
    )
    counts = ", ".join(f"{t._default_manager.count():,} {t._meta.model_name}" for t in tables)
    print(f"{connection.vendor}: {counts}, in {time.perf_counter() - start:.0f} s")
    return world
