"""The paper of a print job: from rows to volumes, and what goes to the print shop with them."""

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from docgen import jobfolder
from docgen.backoffice import shelf, store
from docgen.backoffice.models import Document, PrintJob, State, Volume
from docgen.datafolder import data_folder
from docgen.errors import FieldDoesNotFit, InvalidInput, Problem, Unavailable
from docgen.pagecode import Key
from docgen.records import School
from docgen.rendering import printfile
from docgen.rendering.filling import Copy
from docgen.rendering.imposition import impose
from docgen.rendering.pdfx import OutputIntent, intent_of
from docgen.rendering.symbols import load_table
from docgen.rendering.ticket import ticket as laid_out

VOLUME, REGISTER = "volume.pdf", "register.csv"


def run_of(job: PrintJob, keys: Mapping[int, Key]) -> printfile.Run:
    """Give the run of a job, from what was copied when it was accepted.

    Raises:
        Unavailable: without the key that the job was numbered with.
        InvalidInput: when a press's profile was given for a template with colours.
    """
    if job.key_number not in keys:
        what = f"la clé n° {job.key_number} des codes de page manque."
        remedy = "Remettez son fichier dans le dossier de données."
        raise Unavailable(Problem(what, job.name, remedy))
    key = keys[job.key_number]
    manifest = shelf.template(job.template).manifest
    layout = manifest.layout(job.layout)
    form = shelf.form(job.template, layout)
    if job.profile and not form.grey:
        what = "ce modèle a des couleurs, et les fichiers PDF/X-4 sont faits pour le noir seul."
        raise InvalidInput(Problem(what, manifest.slug, "Commandez-le sans profil de presse."))
    return printfile.Run(
        *(manifest, form, impose(form, layout, manifest.codes), job.constants, key),
        load_table(data_folder() / "cache"),
        separators=job.separators,
        by_class=job.by_class,
        intent=_intent(job, manifest.title) if job.profile else None,
    )


def documents_of(volume: Volume) -> list[printfile.Document]:
    """Give the documents of a volume, in the order of printing."""
    rows = Document.objects.filter(volume=volume).order_by("position")
    return [document_of(row) for row in rows]


def document_of(row: Document) -> printfile.Document:
    """Give a document as it is printed."""
    return printfile.Document(
        *(row.person, row.division, row.title, bytes(row.number)),
        Copy(f"personne {row.person}", row.variant, row.values, row.reference, row.mark),
    )


def file_name(job: PrintJob, number: int) -> str:
    """Name the file of a volume."""
    return f"{job.name}-{number:03}.pdf"


def manifest(job: PrintJob) -> Iterator[bytes]:
    """Give manifest.csv, volume by volume."""
    yield (",".join(jobfolder.COLUMNS) + "\n").encode()
    for volume in Volume.objects.filter(job=job, state=State.DONE).order_by("number"):
        yield from store.blocks(volume.register)


def report(job: PrintJob) -> jobfolder.Report:
    """Give what job.json tells of a job."""
    volumes = [
        jobfolder.VolumeFile(
            file_name(job, each.number), each.documents, each.sides, each.sheets, each.sha256
        )
        for each in Volume.objects.filter(job=job).order_by("number")
    ]
    template = job.template
    return jobfolder.Report(
        *(job.name, template.slug, template.version, job.layout, job.school_id),
        job.on.isoformat(),
        documents=job.documents,
        sides=job.sides,
        sheets=sum(each.sheets for each in volumes),
        volumes=volumes,
        separators=sum(each.separators for each in Volume.objects.filter(job=job)),
        copies=len(job.marks),
    )


def ticket(job: PrintJob, run: printfile.Run) -> bytes:
    """Lay out the job ticket."""
    told = report(job)
    told.flip = run.imposition.flip
    told.pdf_x = run.intent.name if run.intent else ""
    layout = run.manifest.layout(job.layout)
    school = msgspec.convert(job.letterhead, School)
    return laid_out(jobfolder.ticket_facts(told, run, layout, school, job.marks))


def _intent(job: PrintJob, title: str) -> OutputIntent:
    return intent_of(bytes(job.profile), job.profile_name, title, job.on)


def press(
    run: printfile.Run,
    documents: Sequence[printfile.Document],
    file: str,
    folder: Path,
    progress: Callable[[int], None],
) -> dict[str, int]:
    """Write a volume and its lines of manifest.csv into a folder, and give its facts.

    Raises:
        InvalidInput: for characters that cannot be drawn, all at once.
        FieldDoesNotFit: for values too long for their slots, all at once.
    """
    with (folder / VOLUME).open("wb") as stream:
        volume = printfile.bind(run, documents, stream, progress)
    if volume.missing:
        raise InvalidInput(volume.missing + volume.unfit)
    if volume.unfit:
        raise FieldDoesNotFit(volume.unfit)
    with (folder / REGISTER).open("w", encoding="utf-8", newline="") as lines:
        csv.writer(lines, lineterminator="\n").writerows(jobfolder.register(file, volume))
    return {
        "sides": volume.sides,
        "sheets": volume.sheets,
        "separators": volume.separators,
        "size": (folder / VOLUME).stat().st_size,
    }
