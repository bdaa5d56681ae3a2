"""The other documents of `make demo`: conventions, attestations, notices and forms.

Made by the commands that people type, so that the demo shows what they will see.
"""

import json
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

from docgen import library
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
PERIODS = (("01/09/2026", "14/09/2026"), ("15/09/2026", "31/10/2026"))


def make_papers(school: Path, out: Path, pictures: Path) -> Iterator[tuple[str, str, str]]:
    """Make one of each document from a school's files; tell what, how many files, and where."""
    pictures.mkdir(parents=True, exist_ok=True)
    _write_loans(school)
    for each in CONVENTIONS:
        yield from _conventions(school, out, *each)
    for template in editable():
        yield _editable(school, out, template.manifest.slug)
    yield _attestations(school, out / "attestations")
    for template in forms():
        yield _form(template, out / "formulaires")
    for path in sorted(out.rglob("*.pdf")):
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


def _conventions(
    school: Path, out: Path, slug: str, roster: str, loans: str
) -> Iterator[tuple[str, str, str]]:
    _docgen("word", slug, "--school", school / "school.toml", "--out", out / slug / "modele")
    for form in FORMATS:
        folder = out / slug / form
        _docgen(
            *("word", slug, "--school", school / "school.toml", "--roster", school / roster),
            *("--loans", school / loans, "--format", form, "--on", "14/09/2026", "--out", folder),
        )
        yield (slug, f"{form} × {LENT}", str(folder))


def _editable(school: Path, out: Path, slug: str) -> tuple[str, str, str]:
    """Make a document to finish in every format; no loan has a part in it."""
    for form in FORMATS:
        folder = out / slug / form
        _docgen(
            *("word", slug, "--school", school / "school.toml", "--format", form),
            *("--on", "14/09/2026", "--out", folder),
        )
    return (slug, ", ".join(FORMATS), str(out / slug))


def _attestations(school: Path, folder: Path) -> tuple[str, str, str]:
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


def _form(template: Template, folder: Path) -> tuple[str, str, str]:
    """Fill a form with its sample, and make it blank."""
    slug = template.manifest.slug
    folder.mkdir(parents=True, exist_ok=True)
    values = json.dumps(tomllib.loads(template.text("sample.toml")), default=str)
    variant = ("--variant", template.manifest.variants[0].name)
    target = folder / f"{slug}.pdf"
    _docgen("fill", slug, "--values", "-", "--out", target, *variant, given=values)
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


def _docgen(*arguments: str | Path, given: str | None = None) -> None:
    """Run a command; what it says is shown when it fails."""
    command = [str(DOCGEN), *map(str, arguments)]
    done = subprocess.run(command, input=given, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command[1:3])} : code {done.returncode}\n{done.stderr}")
