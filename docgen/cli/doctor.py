"""`docgen doctor`: what the service needs, what of it is there, and what to do about the rest."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from docgen.cli import opening, output
from docgen.errors import DocgenError, Problem, Unavailable, reason

ENOUGH_FREE = 2 * 2**30  # bytes: the volumes of 60 schools, or a day of the rush
DRIFT = 30.0  # seconds between this machine's clock and the database's
PATIENCE = 30  # seconds for a program to say its version
OTHERS = 0o077  # the rights of everybody but the owner
Check = Callable[[], str]


@dataclass(frozen=True, slots=True)
class Line:
    """What was looked at, what is there, and what is wrong with it."""

    name: str
    found: str = ""
    problems: tuple[Problem, ...] = ()

    @property
    def is_ok(self) -> bool:
        """Tell whether nothing is to be mended."""
        return not self.problems


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Écrire le résultat en JSON.")] = False,
) -> None:
    """Regarde ce dont le service a besoin ; dit ce qui manque, et quoi faire."""
    lines = [_looked(name, check) for name, check in CHECKS]
    is_ok = all(line.is_ok for line in lines)
    if as_json:
        told = [
            {
                "name": line.name,
                "ok": line.is_ok,
                "found": line.found,
                "problems": [
                    {"what": each.what, "where": each.where, "remedy": each.remedy}
                    for each in line.problems
                ],
            }
            for line in lines
        ]
        output.say_json({"ok": is_ok, "checks": told})
    else:
        for line in lines:
            _say(line)
        output.say("\nTout est en place." if is_ok else "\nÀ corriger, puis recommencez.")
    raise typer.Exit(0 if is_ok else 1)


def _say(line: Line) -> None:
    if line.is_ok:
        output.say(f"OK           {line.name}\u00a0: {line.found}")
    for each in line.problems:
        where = f"{each.where}\u00a0: " if each.where else ""
        output.say(f"à corriger   {line.name}\u00a0: {where}{each.what} {each.remedy}".rstrip())


def _looked(name: str, check: Check) -> Line:
    try:
        return Line(name, check())
    except DocgenError as error:
        return Line(name, problems=error.problems)
    except OSError as error:  # whatever a machine refuses: that is what is looked for
        return Line(name, problems=(Problem(f"le système refuse ({reason(error)})."),))
    except Exception as error:  # a store or a database that answers nonsense
        what = f"panne imprévue ({type(error).__name__})."
        return Line(name, problems=(Problem(what, "", "Voyez l’erreur avec DOCGEN_DEBUG=1."),))


def _wrong(what: str, remedy: str) -> Unavailable:
    return Unavailable(Problem(what, "", remedy))


def _data() -> str:
    from docgen.datafolder import data_folder

    folder = data_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as stream:
            stream.write(b"docgen")
    except OSError as error:
        what = f"il ne peut pas être écrit ({reason(error)})."
        raise _wrong(what, "Donnez-en les droits, ou indiquez DOCGEN_DATA.") from error
    free = shutil.disk_usage(folder).free
    if free < ENOUGH_FREE:
        raise _wrong(f"il reste {free // 2**20} Mo.", f"Gardez {ENOUGH_FREE >> 30} Go libres.")
    return f"{folder}, {free >> 30} Go libres"


def _keys() -> str:
    from docgen.datafolder import data_folder, page_code_keys

    folder = data_folder()
    count = len(page_code_keys(folder))
    path = folder / "django.key"
    if path.exists() and path.stat().st_mode & OTHERS:
        raise _wrong("d’autres comptes peuvent lire django.key.", "chmod 600 django.key")
    return f"{count}, lisible par ce seul compte"


def _fonts() -> str:
    from docgen.rendering.fonts import FACES, FAMILY, font_file

    missing = [face for face in FACES if not font_file(face).is_file()]
    if missing:
        raise _wrong(
            f"{FAMILY} n’a pas {', '.join(missing)}.", "Relancez «\u00a0make setup\u00a0»."
        )
    return f"{FAMILY}, {len(FACES)} styles"


def _layout() -> str:
    try:
        import weasyprint
    except OSError as error:
        remedy = "apt-get install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"
        raise _wrong("Pango manque, sans qui rien n’est mis en page.", remedy) from error
    return f"WeasyPrint {weasyprint.__version__}"


def _office() -> str:
    from docgen.rendering import office

    with tempfile.TemporaryDirectory() as home:
        command = [office.program(), f"-env:UserInstallation=file://{home}", "--version"]
        try:
            said = subprocess.run(  # noqa: S603 - the program found, our own arguments
                command, capture_output=True, text=True, timeout=PATIENCE, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise _wrong("LibreOffice ne répond pas.", "Réinstallez-le.") from error
    if said.returncode != 0:
        remedy = "apt-get install libreoffice-writer-nogui"
        raise _wrong(f"LibreOffice s’arrête avec le code {said.returncode}.", remedy)
    return " ".join(said.stdout.split()[:2])


def _liberation() -> str:
    remedy = "apt-get install fonts-liberation2 fontconfig"
    program = shutil.which("fc-list")
    if program is None:
        raise _wrong(
            "fontconfig manque\u00a0: les polices de Word ne peuvent être trouvées.", remedy
        )
    listed = subprocess.run(  # noqa: S603
        [program, "Liberation Sans"], capture_output=True, timeout=PATIENCE, check=False
    )
    if not listed.stdout.strip():
        raise _wrong("Liberation Sans manque\u00a0: les conventions changeraient de pages.", remedy)
    return "Liberation Sans"


def _mailbox() -> str:
    from docgen.datafolder import data_folder
    from docgen.region import FILE, read_region

    region = read_region(None, data_folder())
    if not region.mailbox:
        raise _wrong("l’adresse de la Région manque.", f"Écrivez mailbox dans {FILE}.")
    return region.mailbox


def _post() -> str:
    from docgen.backoffice import posting
    from docgen.backoffice.post import read_post
    from docgen.datafolder import data_folder

    post = read_post(data_folder())
    told = posting.check(post)
    return f"{told}, tout va à l’adresse d’essai" if post.redirect else told


def _boxes() -> str:
    from docgen.backoffice import posting
    from docgen.backoffice.post import read_post
    from docgen.datafolder import data_folder

    return posting.check_boxes(read_post(data_folder()))


def _periods() -> str:
    from docgen.backoffice.keeping import read_periods
    from docgen.datafolder import data_folder

    periods = read_periods(data_folder())
    return f"fichiers {periods.volumes} jours, valeurs {periods.values} jours"


def _reminders() -> str:
    opening.set_up()
    from docgen.backoffice.reminders import read_rules
    from docgen.datafolder import data_folder

    rules = read_rules(data_folder())
    return f"fin de l’année scolaire le {rules.school_year_end[3:]}/{rules.school_year_end[:2]}"


def _database() -> str:
    with opening.service():
        from django.db import connection

    return f"{connection.vendor}, à jour"


def _clock() -> str:
    with opening.service(needs_tables=False):
        from django.db import connection
        from django.utils import timezone

        with connection.cursor() as cursor:
            is_postgres = connection.vendor == "postgresql"
            cursor.execute(
                "SELECT extract(epoch FROM clock_timestamp())"
                if is_postgres
                else "SELECT (julianday('now') - 2440587.5) * 86400"  # the Julian day of 1970
            )
            drift = abs(timezone.now().timestamp() - float(cursor.fetchone()[0]))
    if drift > DRIFT:
        what = f"{drift:.0f} s d’écart avec celle de la base."
        raise _wrong(what, "Mettez les machines à l’heure (systemd-timesyncd).")
    return "à l’heure de la base"


def _store() -> str:
    opening.set_up()
    from django.core.files.storage import default_storage

    from docgen.backoffice import store

    content = os.urandom(64)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "essai")
        path.write_bytes(content)
        try:
            sha256 = store.keep(path)
            is_same = b"".join(store.blocks(sha256)) == content
            store.drop(sha256)
            is_there = default_storage.exists(store.name(sha256))
        except store.FAULTS as error:
            what = f"il ne répond pas ({type(error).__name__})."
            remedy = "Vérifiez DOCGEN_S3_BUCKET et AWS_…, ou les droits d’artifacts/."
            raise _wrong(what, remedy) from error
    if not is_same or is_there:
        raise _wrong("il ne rend pas ce qu’il a reçu, ou ne l’efface pas.", "Vérifiez ses droits.")
    return "écrit, relu, effacé"


def _broker() -> str:
    opening.set_up()
    from kombu.exceptions import OperationalError

    from docgen.backoffice import queue

    try:
        queue.reach()
    except OperationalError as error:
        what = "il ne répond pas\u00a0; les demandes sont acceptées et attendent."
        raise _wrong(what, "Démarrez Redis, ou corrigez BROKER_URL.") from error
    return str(queue.settings_of_broker()["transport"])


def _workers() -> str:
    with opening.service():
        from docgen.backoffice import beats

        count = beats.workers()
    if not count:
        what = "aucun ne travaille\u00a0; les demandes attendent."
        raise _wrong(what, "Lancez docgen serve, ou docgen worker.")
    return f"{count} en vie"


CHECKS: tuple[tuple[str, Check], ...] = (
    ("dossier de données", _data),
    ("clés", _keys),
    ("polices", _fonts),
    ("polices de Word", _liberation),
    ("mise en page", _layout),
    ("LibreOffice", _office),
    ("boîte de la Région", _mailbox),
    ("courrier", _post),
    ("boîte aux lettres", _boxes),
    ("durées de conservation", _periods),
    ("rappels", _reminders),
    ("base de données", _database),
    ("horloge", _clock),
    ("magasin de fichiers", _store),
    ("courtier", _broker),
    ("exécutants", _workers),
)
