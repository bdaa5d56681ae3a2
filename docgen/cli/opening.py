"""What commands of the service share: Django set up late, and its failures told in French."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING

from docgen.errors import InvalidInput, Problem, Unavailable, reason

if TYPE_CHECKING:
    from docgen.backoffice.models import PrintJob, School

BY = "cli"  # who acts, in events
SETTINGS = "docgen.backoffice.settings"
AWAY = Problem(
    "la base de données ne répond pas.",
    "DATABASE_URL",
    "Vérifiez son adresse et qu’elle est démarrée\u00a0; docgen doctor en dit plus.",
)


def set_up(level: str = "ERROR") -> None:
    """Set Django up, for this command alone.

    Raises:
        InvalidInput: when the settings of the environment do not hold together.
        Unavailable: when the data folder cannot be written.
    """
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", SETTINGS)
    os.environ.setdefault("DOCGEN_LOG_LEVEL", level)
    import django

    try:
        django.setup()
    except OSError as error:
        what = f"le dossier de données ne peut pas être écrit ({reason(error)})."
        remedy = "Donnez-en les droits, ou indiquez-en un autre."
        raise Unavailable(Problem(what, "DOCGEN_DATA", remedy)) from error
    except ValueError as error:  # the address of a database that is not one
        what = "un réglage n’est pas compris."
        remedy = "Adresse attendue\u00a0: postgres://compte:secret@machine/base."
        raise InvalidInput(Problem(what, "DATABASE_URL", remedy)) from error


@contextmanager
def service(*, needs_tables: bool = True) -> Iterator[None]:
    """Open the service's tables, for a command that works on them.

    Raises:
        Unavailable: when the database does not answer, or its tables are not made.
    """
    set_up()
    import django.db

    from docgen.backoffice import health

    try:
        if needs_tables and health.pending_migrations():
            what = "la base de données n’est pas à jour."
            raise Unavailable(Problem(what, "", "Lancez d’abord\u00a0: docgen migrate."))
        yield
    except (django.db.OperationalError, django.db.InterfaceError) as error:
        raise Unavailable(AWAY) from error


def migrate() -> None:
    """Met la base de données à jour : à faire une fois, puis après chaque nouvelle version."""
    from docgen.cli import output

    with service(needs_tables=False):
        count = make_tables()
    output.say(f"Base à jour\u00a0: {count} étapes faites." if count else "La base était à jour.")


def make_tables() -> int:
    """Bring the tables up to this program; give how many steps were made."""
    from django.core.management import call_command

    from docgen.backoffice import health

    steps = len(health.pending_migrations())
    if steps:
        call_command("migrate", verbosity=0, interactive=False)
    return steps


def school(uai: str) -> "School":
    """Find a school.

    Raises:
        InvalidInput: when the service does not know it.
    """
    from docgen.backoffice import gate, models

    found = gate.visible(models.School, gate.SYSTEM).filter(pk=uai.upper()).first()
    if found is None:
        remedy = "Importez d’abord ses fichiers\u00a0: docgen import."
        raise InvalidInput(Problem("cet établissement n’est pas connu.", "--school", remedy))
    return found


def moment(at: str) -> str:
    """Write an instant (ISO 8601) as clocks show it here: « 05/10/2026 10:00 »."""
    from django.utils import timezone

    return timezone.localtime(datetime.fromisoformat(at)).strftime("%d/%m/%Y %H:%M")


def job(given: str) -> "PrintJob":
    """Find a print job, by its number or the beginning of it.

    Raises:
        InvalidInput: when no job has it, or several.
    """
    from docgen.backoffice import gate, models

    wanted = given.lower().replace("-", "")
    jobs = gate.visible(models.PrintJob, gate.SYSTEM).only("id")
    found = [each.pk for each in jobs if each.pk.hex.startswith(wanted)] if wanted else []
    if len(found) != 1:
        what = "aucun lot n’a ce numéro." if not found else "plusieurs lots commencent ainsi."
        raise InvalidInput(Problem(what, "LOT", "docgen jobs list donne les numéros."))
    return gate.visible(models.PrintJob, gate.SYSTEM).get(pk=found[0])
