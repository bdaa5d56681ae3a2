"""Word documents on disk: a school's loans become documents, all of them or none.

A convention of a loan that is delivered as a PDF is paper: it carries page codes and a reference.
What Word opens does not: whoever prints it may have changed it.

Without a loan, a convention gives two things: the model that the school may edit and give back
(`--model`), and the convention with blanks, to complete by hand. A document that the records of a
loan have no part in is one and the other at once: a single file, the school's to finish.
"""

import hashlib
import json
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias

from docgen import wordpaper
from docgen.attestations import school_year
from docgen.errors import InvalidInput, Problem, ValuesRejected
from docgen.fields import clean
from docgen.jobfolder import INDEX, staged
from docgen.library import Template
from docgen.manifest import Variant
from docgen.records import Fact, Loan, Person, Roster, School, loan_facts, school_facts
from docgen.rendering import office, word, wordmerge
from docgen.rendering.stamping import Stamp
from docgen.rendering.wordmodel import Filling, Properties, prefill
from docgen.wordpaper import Paper

Format: TypeAlias = Literal["docx", "doc", "odt", "pdf"]
EPOCH = (1980, 1, 1, 0, 0, 0)  # what an archive tells of each file: nothing of the clock


@dataclass(frozen=True)
class Request:
    """What is wanted: a template for a school, in a format, from its own model or ours.

    `on` dates the documents; `merged` puts all of them in one file.
    """

    template: Template
    school: School
    on: date
    format: Format = "docx"
    model: Path | None = None
    merged: bool = False
    loans: Sequence[Loan] = ()
    roster: Roster = field(default_factory=lambda: Roster(()))

    @property
    def stem(self) -> str:
        """What the names of the files begin with."""
        return f"{self.template.manifest.slug}-{self.school.uai}"

    @property
    def is_for_loans(self) -> bool:
        """Tell whether loans fill the template, and not the school alone."""
        return not all(each.is_constant for each in self.template.manifest.fields)


class Written(NamedTuple):
    """The files of a request, and those of them that come home as paper."""

    names: list[str]
    papers: list[Paper]


def write(request: Request, out: Path, stamp: Stamp | None = None) -> Written:
    """Write the documents of a request into a folder.

    With a `stamp`, the PDF of a loan carries page codes on every side.

    Raises:
        InvalidInput: with every reason to refuse the model given, or every value refused.
        Unavailable: when LibreOffice is wanted and absent, or the folder cannot be written.
    """
    if request.loans and not request.is_for_loans:
        what = "ce modèle ne se remplit pas prêt par prêt."
        where = request.template.manifest.slug
        raise InvalidInput(Problem(what, where, "Demandez-le sans registre des prêts."))
    if request.format != "docx":
        office.program()  # said before anything is made
        if request.merged:
            what = "un seul fichier pour tous les prêts se fait au format docx seulement."
            raise InvalidInput(Problem(what, "--merged", "Demandez --format docx."))
    if request.merged and len(request.loans) > wordmerge.MOST:
        what = f"un seul fichier tient {wordmerge.MOST} conventions au plus."
        remedy = "Donnez un registre par classe, ou retirez cette option."
        raise InvalidInput(Problem(what, "--merged", remedy))
    filled = fillings(request)
    papers: list[Paper] = []
    merged = f"{request.stem}.docx" if request.merged and request.loans else ""
    with staged(out) as folder, tempfile.TemporaryDirectory(dir=folder) as kept:
        # Within the folder: a file moves only on its own disk, and a run that is killed leaves
        # the names of people nowhere else.
        place = Path(kept)
        word.fill(request.template, filled, place, given=request.model, merged=merged)
        made = sorted(place.glob("*.docx"))
        if request.format == "docx":
            made = [path.replace(folder / path.name) for path in made]
        else:
            made = office.convert(made, request.format, folder)
        if stamp and request.format == "pdf" and request.loans:
            papers += _stamped(request, filled, folder, stamp)
        if not request.loans and not request.model:
            made += [_editable(request, folder)] if request.is_for_loans else []
        elif not merged:
            made.append(_archive(made, folder / f"{request.stem}-{request.format}.zip"))
        _index(request, len(filled), made, papers, folder / INDEX)
        return Written(sorted(path.name for path in made), papers)


def fillings(request: Request) -> list[Filling]:
    """Give what fills each document, named by internal ids.

    Raises:
        ValuesRejected: with every value of every loan that is refused.
    """
    return list(_of_loans(request)) if request.loans else _blanks(request)


def _stamped(
    request: Request, fillings: Iterable[Filling], folder: Path, stamp: Stamp
) -> Iterator[Paper]:
    """Put codes on the PDF of each loan, in its file."""
    template = request.template
    model = word.read_model(request.model or template.folder / template.manifest.body)
    series = wordpaper.Series(template.manifest, request.school.uai, model, stamp)
    for loan, filling in zip(request.loans, fillings, strict=True):
        yield series.stamped(folder / f"{filling.name}.pdf", filling, loan.person_id, request.on)


def _of_loans(request: Request) -> Iterator[Filling]:
    people = {person.id: person for person in request.roster.people}
    problems: list[Problem] = []
    done: list[Filling] = []
    for loan in request.loans:
        person = people[loan.person_id]
        where = f"personne {person.id}"
        try:
            done.append(_filling(request, person, loan, where))
        except ValuesRejected as error:
            problems += error.problems
    if problems:
        raise ValuesRejected(problems)
    yield from _named_apart(done)


def _filling(request: Request, person: Person, loan: Loan, where: str) -> Filling:
    manifest = request.template.manifest
    device = request.roster.devices.get(loan.serial)
    facts = _school(request) | loan_facts(person, loan, device)
    # That of the loan: a roster typed by hand tells no year, and a loan may be of another one.
    facts["school.year"] = school_year(loan.start_date)
    variant = _variant(request, person, loan, where)
    return Filling(
        name=f"{manifest.reference}-{request.school.uai}-{person.id}-{loan.serial}",
        values=_values(request, facts, where),
        variant=variant.name,
        properties=_properties(request),
        where=where,
    )


def _named_apart(fillings: Sequence[Filling]) -> Iterator[Filling]:
    """Number the loans of one tablet to one person: a name is a file."""
    seen: dict[str, int] = {}
    for filling in fillings:
        seen[filling.name] = count = seen.get(filling.name, 0) + 1
        if count == 1:
            yield filling
        else:
            yield Filling(
                name=f"{filling.name}-{count}",
                values=filling.values,
                variant=filling.variant,
                properties=filling.properties,
                where=filling.where,
            )


def _variant(request: Request, person: Person, loan: Loan, where: str) -> Variant:
    """Choose by the age on the day when the tablet is handed over."""
    manifest = request.template.manifest
    if all(variant.when == "always" for variant in manifest.variants):
        return manifest.variants[0]
    adult = person.is_adult(loan.start_date)
    if adult is None:
        what = "la date de naissance manque : on ne sait pas si la personne est majeure."
        raise ValuesRejected(
            Problem(what, where, "Complétez-la dans le fichier de l’établissement.")
        )
    return manifest.variant(adult)


def _values(request: Request, facts: Mapping[str, Fact], where: str) -> dict[str, str]:
    fields = request.template.manifest.fields
    return clean(fields, {each.name: facts.get(each.source) for each in fields}, where)


def _blanks(request: Request) -> list[Filling]:
    """Give the document of a school with blanks for the rest, in each variant."""
    fields = request.template.manifest.fields
    ours = [each for each in fields if each.is_constant]
    facts = _school(request)
    where = f"établissement {request.school.uai}"
    known = clean(ours, {each.name: facts.get(each.source) for each in ours}, where)
    stem = request.stem + ("-vierge" if request.is_for_loans else "")
    several = len(request.template.manifest.variants) > 1
    return [
        Filling(
            name=stem + (f"-{variant.name}" if several else ""),
            values={each.name: known.get(each.name, "") for each in fields},
            variant=variant.name,
            properties=_properties(request),
        )
        for variant in request.template.manifest.variants
    ]


def _editable(request: Request, folder: Path) -> Path:
    """Write the model that the school may edit: its own facts written, the tags of loans left."""
    fields = [each for each in request.template.manifest.fields if each.is_constant]
    facts = _school(request)
    where = f"établissement {request.school.uai}"
    values = clean(fields, {each.name: facts.get(each.source) for each in fields}, where)
    # The year is not the model's: it may serve again.
    kept = {each.name: values[each.name] for each in fields if each.source != "school.year"}
    body = (request.template.folder / request.template.manifest.body).read_bytes()
    path = folder / f"{request.stem}-modele.docx"
    path.write_bytes(prefill(body, kept, _properties(request)))
    return path


def _school(request: Request) -> dict[str, Fact]:
    return school_facts(request.school, request.roster.school_year)


def _properties(request: Request) -> Properties:
    manifest = request.template.manifest
    subject = f"Version {manifest.version}"
    return Properties(
        title=manifest.title, author=request.school.name, on=request.on, subject=subject
    )


def _index(
    request: Request, documents: int, files: Sequence[Path], papers: Sequence[Paper], path: Path
) -> None:
    """Say what the folder holds, so that another run may take its place."""
    manifest = request.template.manifest
    content = {
        "job": request.stem,
        "template": manifest.slug,
        "version": manifest.version,
        "school": request.school.uai,
        "date": request.on.isoformat(),
        "format": request.format,
        "documents": documents,
        "volumes": [
            {"file": file.name, "sha256": hashlib.sha256(file.read_bytes()).hexdigest()}
            for file in files
        ],
        "references": {paper.file: paper.reference for paper in papers},
    }
    path.write_text(json.dumps(content, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def _archive(files: Sequence[Path], path: Path) -> Path:
    """Put the documents in one archive as well, the same bytes for the same documents."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in files:
            archive.writestr(zipfile.ZipInfo(file.name, EPOCH), file.read_bytes())
    return path
