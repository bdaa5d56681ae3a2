"""The service under test: a data folder, a database and a broker of its own.

Alone, the tests run on SQLite and files. `python -m tests.service.servers pytest tests/service`
starts PostgreSQL, Redis and an S3 server, and runs the same tests on them.
"""

import os
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pytest_django import DjangoDbBlocker

if TYPE_CHECKING:
    from tests.service.mailservers import Dovecot

DATA = Path(os.environ.get("DOCGEN_TEST_DATA") or tempfile.mkdtemp(prefix="docgen-service-"))
os.environ["DOCGEN_DATA"] = str(DATA)
os.environ["DJANGO_SETTINGS_MODULE"] = "docgen.backoffice.settings"

import django  # noqa: E402

from tests.service import servers  # noqa: E402

if "DATABASE_URL" in os.environ and (worker := os.environ.get("PYTEST_XDIST_WORKER")):
    servers.set_apart(int(worker.removeprefix("gw")) + 1)

django.setup()

from django.contrib.auth.hashers import Argon2PasswordHasher  # noqa: E402
from django.db import connection, transaction  # noqa: E402
from django.test import TransactionTestCase  # noqa: E402

# The same hashes, but cheap ones: what makes them hard to guess is nobody's business here.
Argon2PasswordHasher.time_cost = 1
Argon2PasswordHasher.memory_cost = 8
Argon2PasswordHasher.parallelism = 1

if connection.vendor == "sqlite":  # in a file, as in life: threads and processes wait their turn
    connection.settings_dict["TEST"]["NAME"] = str(DATA / "tests.sqlite3")


def pytest_xdist_setupnodes() -> None:
    """Have each process of a run read its own settings, here, and not those of who started it."""
    for name in ("DJANGO_SETTINGS_MODULE", "DOCGEN_DATA"):
        os.environ.pop(name)


SAME = {"django_content_type", "auth_permission"}  # filled with the tables, and never changed
TRIALS = ["test_farm_trials.py", "test_post_trials.py"]
collect_ignore = [] if "DATABASE_URL" in os.environ else TRIALS


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Let tests empty the tables: on SQLite that deletes rows, which events refuse."""
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("DROP TRIGGER events_remain")
        tables = set(connection.introspection.django_table_names(only_existing=True)) - SAME
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", lambda case: emptied(tables))
        yield


def emptied(tables: set[str]) -> None:
    """Delete what a test left. Django would empty and fill every table: ten times the time."""
    question = " UNION ALL ".join(
        f"SELECT '{each}' WHERE EXISTS (SELECT 1 FROM {each})"  # noqa: S608 - names of ours
        for each in sorted(tables)
    )
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":  # no trigger and no other table has a say
            cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(question)
        for (table,) in cursor.fetchall():
            cursor.execute(f"DELETE FROM {table}")  # noqa: S608


@pytest.fixture(scope="session")
def server() -> "Iterator[Dovecot]":
    """Run one IMAP server for all the tests that only need boxes of their own."""
    from tests.service.mailservers import Dovecot, certificate

    with tempfile.TemporaryDirectory(prefix="docgen-mail-") as place:
        Path(place).chmod(0o755)  # Dovecot's own account goes through it
        dovecot = Dovecot(Path(place), certificate=certificate(Path(place)))
        try:
            dovecot.start()
            yield dovecot
        finally:
            dovecot.stop()


@pytest.fixture(scope="session")
def place(django_db_setup: None) -> Iterator[tuple[str, int]]:
    """Run one web server of two processes on the tests' database: its address."""
    from tests.service import webserver

    with webserver.running() as place:
        yield place


@pytest.fixture
def box(request: pytest.FixtureRequest) -> str:
    """Give a mailbox of the test's own, empty: its user."""
    return f"box{zlib.crc32(request.node.nodeid.encode())}@region.example"


@pytest.fixture(scope="session", autouse=True)
def data_folder() -> Iterator[None]:
    """Keep the data folder that the settings were read from."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DOCGEN_DATA", str(DATA))
        patch.delenv("DOCGEN_KEY", raising=False)
        yield


@pytest.fixture(autouse=True)
def usual_region() -> Iterator[None]:
    """Leave no region behind: what the next test mails goes to the usual one."""
    yield
    (DATA / "region.toml").unlink(missing_ok=True)
