"""What happened stays told: the database itself refuses to change it."""

from importlib import import_module

import pytest
from django.db import DatabaseError, connection, transaction

from docgen.backoffice.events import tell
from docgen.backoffice.models import Event

pytestmark = pytest.mark.django_db
guard = import_module("docgen.backoffice.migrations.0002_events_only_grow")


@pytest.fixture(autouse=True)
def guarded() -> None:
    """Put the trigger back that conftest takes away; the test's transaction ends with it."""
    if connection.vendor == "sqlite":
        connection.cursor().execute(guard.SQLITE[1])


def test_an_event_is_never_changed_nor_deleted_in_its_year() -> None:
    tell("job-accepted", "x", documents=3)
    for change in (
        lambda: Event.objects.update(kind="other"),
        lambda: Event.objects.all().delete(),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()
    assert Event.objects.get().kind == "job-accepted"


def test_an_event_may_go_after_its_year() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO backoffice_event (at, kind, school, subject, actor, facts)"
            " VALUES ('2020-01-01', 'old', '', 'x', 'test', '{}')"
        )
    Event.objects.all().delete()
    assert not Event.objects.exists()
