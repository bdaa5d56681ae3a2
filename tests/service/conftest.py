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

from django.db import connection  # noqa: E402

if connection.vendor == "sqlite":  # in a file, as in life: threads and processes wait their turn
    connection.settings_dict["TEST"]["NAME"] = str(DATA / "tests.sqlite3")


def pytest_xdist_setupnodes() -> None:
    """Have each process of a run read its own settings, here, and not those of who started it."""
    for name in ("DJANGO_SETTINGS_MODULE", "DOCGEN_DATA"):
        os.environ.pop(name)


TRIALS = ["test_farm_trials.py", "test_post_trials.py"]
collect_ignore = [] if "DATABASE_URL" in os.environ else TRIALS


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """Let tests empty the tables: on SQLite that deletes rows, which events refuse."""
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("DROP TRIGGER events_remain")


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
