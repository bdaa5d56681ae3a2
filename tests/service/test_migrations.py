"""Tables follow the code: nothing is left to migrate, and rows live through a migration."""

from collections.abc import Iterator

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.db.migrations.executor import MigrationExecutor

from docgen.backoffice import models
from tests.service import town
from tests.service.test_print_jobs import content
from workers.print_jobs import print_volume

APP = "backoffice"


def migrate(name: str) -> None:
    MigrationExecutor(connection).migrate([(APP, name)])


@pytest.fixture
def first_tables(transactional_db: None) -> Iterator[str]:
    """Take the tables back to the first migration; give the name of the last one."""
    last = MigrationExecutor(connection).loader.graph.leaf_nodes(APP)[0][1]
    migrate("0001_initial")
    yield last
    migrate(last)
    if connection.vendor == "sqlite":  # as conftest leaves it: tests empty the tables
        with connection.cursor() as cursor:
            cursor.execute("DROP TRIGGER events_remain")


@pytest.mark.django_db
def test_the_tables_are_those_of_the_code() -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_a_filled_database_migrates_forward_and_prints_the_same(first_tables: str) -> None:
    job = town.job(town.school(), 3)
    print_volume("1")
    printed, events = content(job), list(models.Event.objects.order_by("pk").values())
    migrate(first_tables)
    job = models.PrintJob.objects.get(pk=job.pk)
    assert (job.stage, content(job)) == ("ready", printed)
    assert list(models.Event.objects.order_by("pk").values()) == events
    with pytest.raises(DatabaseError), transaction.atomic():
        models.Event.objects.update(kind="other")
