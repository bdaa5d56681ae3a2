"""The other documents of `make demo`: conventions, attestations, notices and forms.

Made by the commands that people type, so that the demo shows what they will see.
"""

import io
import json
import sys
import tomllib
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import redirect_stderr, redirect_stdout
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

from docgen import cli, library
from docgen.errors import DocgenError
from docgen.library import Template
from docgen.rendering.pictures import save_png
from samples.people import people, serial_number, teachers

DOCGEN = Path(sys.executable).with_name("docgen")
FORMATS = ("docx", "doc", "odt", "pdf")
LENT = 3  # loans of each kind: enough to look at
FIRST_LENT = 5000  # serial numbers past those that are given away
DPI = 100
CONVENTIONS = (
    ("convention-pret-eleve", "eleves.csv", "prets-eleves.csv"),
    ("convention-pret-personnel", "professeurs.csv", "prets-personnels.csv"),
)
AT_ONCE = 2  # commands; a few seconds of one processor each
Row = tuple[str, str, str]
PERIODS = (("01/09/2026", "14/09/2026"), ("15/09/2026", "31/10/2026"))


def make_papers(school: Path, out: Path, pictures: Path) -> Iterator[Row]:
    """Make one of each document from a school's files; tell what, how many files, and where."""
    pictures.mkdir(parents=True, exist_ok=True)
    _write_loans(school)
    tasks: list[Callable[[], Row]] = [
        partial(_convention, school, out, each, form) for each in CONVENTIONS for form in FORMATS
    ]
    tasks += [partial(_editable, school, out, each.manifest.slug) for each in editable()]
    tasks.append(partial(_attestations, school, out / "attestations"))
    tasks += [partial(_form, each.manifest.slug, out / "formulaires") for each in forms()]
    # The libraries are loaded once, not once for each of the 45 commands.
    with ProcessPoolExecutor(AT_ONCE, get_context("forkserver")) as makers:
        yield from makers.map(_made, tasks)
        draw = partial(_draw, pictures)
        list(makers.map(draw, sorted(out.rglob("*.pdf"))))


def _made(task: Callable[[], Row]) -> Row:
    return task()


def _draw(pictures: Path, path: Path) -> None:
    save_png(path, 0, DPI, pictures / f"{path.parent.name}-{path.stem}.png")


def forms() -> list[Template]:
    """List the notices and forms of the shelf that are filled."""
    return [each for each in _notices_and_forms() if each.manifest.engine != "word"]


def editable() -> list[Template]:
    """List the notices and forms of the shelf that a school finishes in Word."""
    return [each for each in _notices_and_forms() if each.manifest.engine == "word"]


def count() -> int:
    """Tell how many rows `make_papers` will give."""
    return len(CONVENTIONS) * len(FORMATS) + len(editable()) + 1 + len(forms())


def _notices_and_forms() -> Iterator[Template]:
    return (each for each in library.load_all() if each.manifest.kind in ("notice", "form"))


def _convention(school: Path, out: Path, named: tuple[str, str, str], form: str) -> Row:
    """Make conventions in a format; with the first, the model that a school edits."""
    slug, roster, loans = named
    if form == FORMATS[0]:
        _docgen("word", slug, "--school", school / "school.toml", "--out", out / slug / "modele")
    folder = out / slug / form
    _docgen(
        *("word", slug, "--school", school / "school.toml", "--roster", school / roster),
        *("--loans", school / loans, "--format", form, "--on", "14/09/2026", "--out", folder),
    )
    return (slug, f"{form} × {LENT}", str(folder))


def _editable(school: Path, out: Path, slug: str) -> Row:
    """Make a document to finish in every format; no loan has a part in it."""
    for form in FORMATS:
        folder = out / slug / form
        _docgen(
            *("word", slug, "--school", school / "school.toml", "--format", form),
            *("--on", "14/09/2026", "--out", folder),
        )
    return (slug, ", ".join(FORMATS), str(out / slug))


def _attestations(school: Path, folder: Path) -> Row:
    """Attest the first fortnight, then what was given later: a complementary attestation."""
    register = (school / "cessions.csv").read_text(encoding="utf-8-sig").splitlines()
    # Every tenth tablet was handed over later: pupils who were absent, or came in October.
    register[10::10] = [line.replace("14/09/2026", "05/10/2026") for line in register[10::10]]
    later = school / "cessions-automne.csv"
    later.write_text("\n".join(register) + "\n", encoding="utf-8")
    for start, end in PERIODS:
        _docgen(
            *("attest", "--school", school / "school.toml", "--cessions", later),
            *("--roster", school / "ElevesAvecAdresses.xml", "--stock", school / "stock.csv"),
            *("--from", start, "--to", end, "--on", "02/11/2026", "--out", folder),
        )
    return ("attestation-cession", f"pdf × {len(PERIODS)}, avec bordereau", str(folder))


def _form(slug: str, folder: Path) -> Row:
    """Fill a form with its sample, and make it blank."""
    template = library.load(slug)
    folder.mkdir(parents=True, exist_ok=True)
    given = json.dumps(tomllib.loads(template.text("sample.toml")), default=str)
    variant = ("--variant", template.manifest.variants[0].name)
    target = folder / f"{slug}.pdf"
    with TemporaryDirectory() as place:
        values = Path(place, "valeurs.json")
        values.write_text(given, encoding="utf-8")
        _docgen("fill", slug, "--values", values, "--out", target, *variant)
    _docgen("templates", "blank", slug, "--out", folder / f"{slug}-vierge.pdf")
    return (slug, "pdf, rempli et vierge", str(target))


def _write_loans(school: Path) -> None:
    for name, who in (("eleves", people(1050, classes=42)), ("personnels", teachers(90))):
        lines = [
            f"{serial_number(FIRST_LENT + n)};{person.id};14/09/2026;02/07/2027;Neuf"
            for n, person in enumerate(who[:LENT])
        ]
        content = "\n".join(["N° de série;Bénéficiaire;Début;Fin;État", *lines]) + "\n"
        (school / f"prets-{name}.csv").write_text(content, encoding="utf-8")


def _docgen(*arguments: str | Path) -> None:
    """Run a command; what it says is shown when it fails."""
    said = io.StringIO()
    command = [str(each) for each in arguments]
    try:
        with redirect_stdout(said), redirect_stderr(said):
            cli.app(command, prog_name="docgen", standalone_mode=False)
    except DocgenError as error:
        raise SystemExit(f"{' '.join(command[:2])}\u00a0: {error}\n{said.getvalue()}") from error
