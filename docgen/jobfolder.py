"""A print job on disk: volumes, manifest.csv, job ticket and job.json, all of them or none."""

import csv
import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from docgen.errors import FieldDoesNotFit, InvalidInput, MissingGlyph, Problem, Unavailable, reason
from docgen.manifest import Layout
from docgen.press import Job
from docgen.records import School
from docgen.rendering.printfile import Run, Volume, bind

COLUMNS = ("reference", "person", "class", "volume", "first_side", "last_side", "sheets", "sha256")
# OWASP ASVS 1.2.10; some spreadsheets read the wide signs of Asian keyboards as the plain ones.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\0", "＝", "＋", "－", "＠")
TICKET = "bon-impression.pdf"
MANIFEST = "manifest.csv"
INDEX = "job.json"
STAGING = ".docgen-"
Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class VolumeFile:
    """A volume as job.json tells it."""

    file: str
    documents: int
    sides: int
    sheets: int
    sha256: str


@dataclass
class Report:
    """What a job made; job.json tells it. `sides` are printed sides, blanks left out."""

    job: str
    template: str
    version: str
    layout: str
    school: str
    date: str
    documents: int = 0
    sides: int = 0
    sheets: int = 0
    volumes: list[VolumeFile] = field(default_factory=list)
    separators: int = 0
    copies: int = 1
    flip: str = ""
    pdf_x: str = ""
    seconds: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """Give the report as job.json holds it."""
        return asdict(self)


def write_job(job: Job, out: Path, progress: Progress | None = None) -> Report:
    """Press a job into a folder; on any problem the folder is left as it was.

    Raises:
        InvalidInput: values refused, or characters that cannot be drawn, all at once.
        FieldDoesNotFit: values too long for their slots, all at once.
    """
    start = time.monotonic()
    with staged(out) as folder:
        report = _press(job, folder, progress or (lambda done: None))
        from docgen.rendering.ticket import ticket

        order = job.order
        facts = ticket_facts(report, job.run, order.layout, order.school, order.marks)
        (folder / TICKET).write_bytes(ticket(facts))
        report.seconds = round(time.monotonic() - start, 3)
        # Last: a folder with job.json is a folder that is whole.
        content = json.dumps(report.as_json(), ensure_ascii=False, indent=2) + "\n"
        (folder / INDEX).write_text(content, encoding="utf-8")
    return report


def name(job: Job) -> str:
    """Name a job by what decides its documents: the same order gives the same name."""
    order = job.order
    facts = [*order.identity, *order.marks, *order.classes, str(order.separators), order.ordering]
    digest = hashlib.sha256("\0".join(facts).encode()).hexdigest()[:6]
    return f"{order.template.manifest.reference}-{order.school.uai}-{order.layout.name}-{digest}"


def _press(job: Job, folder: Path, progress: Progress) -> Report:
    order = job.order
    report = Report(
        name(job),
        order.template.manifest.slug,
        order.template.manifest.version,
        order.layout.name,
        order.school.uai,
        order.on.isoformat(),
        copies=len(order.marks),
        flip=job.run.imposition.flip,
        pdf_x=job.run.intent.name if job.run.intent else "",
    )
    unfit: list[Problem] = []
    missing: list[Problem] = []
    documents = job.documents()
    with (folder / MANIFEST).open("w", encoding="utf-8", newline="") as stream:
        rows = csv.writer(stream, lineterminator="\n")
        rows.writerow(COLUMNS)
        while batch := list(islice(documents, order.volume)):
            file = f"{report.job}-{len(report.volumes) + 1:03}.pdf"
            with (folder / file).open("wb") as pdf:
                volume = bind(job.run, batch, pdf)
            unfit += volume.unfit
            missing += volume.missing
            _record(report, file, volume)
            rows.writerows(register(file, volume))
            progress(report.documents)
    if problems := job.problems + missing:
        kind = MissingGlyph if not job.problems else InvalidInput
        raise kind(problems + unfit)
    if unfit:
        raise FieldDoesNotFit(unfit)
    return report


def _record(report: Report, file: str, volume: Volume) -> None:
    count = len(volume.documents)
    report.volumes.append(VolumeFile(file, count, volume.sides, volume.sheets, volume.sha256))
    report.documents += count
    report.sides += volume.sides
    report.sheets += volume.sheets
    report.separators += volume.separators


def register(file: str, volume: Volume) -> Iterator[tuple[Any, ...]]:
    """Give the lines of manifest.csv for a volume, in the order of `COLUMNS`."""
    for bound in volume.documents:
        document = bound.document
        yield (
            document.copy.reference,
            cell(document.person),
            cell(document.division),
            file,
            *(bound.first, bound.last, bound.sheets, bound.sha256),
        )


def cell(text: str) -> str:
    """Make a text safe in a spreadsheet: what would be a formula becomes plain text."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def ticket_facts(
    report: Report, run: Run, layout: Layout, school: School, marks: Sequence[str]
) -> dict[str, object]:
    """Give the names that the job ticket uses."""
    imposition = run.imposition
    return {
        "report": report,
        "title": run.manifest.title,
        "layout": layout.title,
        "school": school,
        "orientation": "paysage" if imposition.width > imposition.height else "portrait",
        "sides": len(imposition.sides),
        "sheets": imposition.sheets,
        "marks": ", ".join(mark.lower() for mark in marks if mark),
        "by_class": run.by_class,
    }


@contextmanager
def staged(out: Path, *, anew: bool = False) -> Iterator[Path]:
    """Give a working folder whose files move into `out` together, or vanish together.

    They take the place of the job that `out` held; `anew`, they never take the place of a file.

    Raises:
        Unavailable: when the folder cannot be written.
        InvalidInput: when it holds files of somebody else under the names of ours.
    """
    made: list[Path] = []
    try:
        made = _missing_folders(out)
        out.mkdir(parents=True, exist_ok=True)
        _sweep(out)
        folder = Path(tempfile.mkdtemp(dir=out, prefix=f"{STAGING}{os.getpid()}-"))
        try:
            yield folder
            (_add if anew else _replace)(folder, out)
        finally:
            shutil.rmtree(folder)
    except BaseException as error:
        for path in made:
            if path.is_dir():
                path.rmdir()
        if isinstance(error, OSError):
            what = f"le dossier ne peut pas être écrit ({reason(error)})."
            problem = Problem(what, str(out), "Choisissez un autre dossier.")
            raise Unavailable(problem) from error
        raise


def _missing_folders(out: Path) -> list[Path]:
    """List the folders that do not exist yet, the deepest first."""
    return [path for path in (out, *out.parents) if not path.exists()]


def _sweep(out: Path) -> None:
    """Take away what a press that was killed has left."""
    for path in out.glob(f"{STAGING}*"):
        owner = path.name.removeprefix(STAGING).split("-")[0]
        if not (owner.isdecimal() and Path(f"/proc/{owner}").exists()):
            shutil.rmtree(path)


def _replace(folder: Path, out: Path) -> None:
    """Put a job in the place of the one that the folder held, or leave that one as it was."""
    new = sorted(folder.iterdir(), key=lambda path: path.name == INDEX)
    former = _former(out)
    register = out / MANIFEST
    if MANIFEST not in former and register.is_file() and not _is_ours(register):
        what = f"un autre fichier s’y appelle {MANIFEST}."
        remedy = "Choisissez un autre dossier, ou déplacez ce fichier."
        raise InvalidInput(Problem(what, str(out), remedy))
    aside = folder / "former"
    aside.mkdir()
    moved: list[Path] = []
    try:
        for taken in sorted({*former, *(path.name for path in new)}):
            if (out / taken).is_file():
                (out / taken).replace(aside / taken)
        for path in new:
            with path.open("rb") as stream:
                os.fsync(stream.fileno())
            moved.append(path.replace(out / path.name))
    except BaseException:
        for path in moved:
            path.unlink()
        for path in aside.iterdir():
            path.replace(out / path.name)
        raise


def _add(folder: Path, out: Path) -> None:
    """Put files where none of their names is taken, be it by a command that runs meanwhile."""
    added: list[Path] = []
    try:
        for path in sorted(folder.iterdir()):
            with path.open("rb") as stream:
                os.fsync(stream.fileno())
            (out / path.name).touch(exist_ok=False)
            added.append(out / path.name)
            path.replace(out / path.name)
    except BaseException as error:
        for path in added:
            path.unlink()
        if isinstance(error, FileExistsError):
            what = "un fichier du même nom vient d’y être écrit."
            raise InvalidInput(Problem(what, str(out), "Recommencez.")) from error
        raise


def _is_ours(register: Path) -> bool:
    """Tell a manifest that a killed press left without its index from somebody's own file."""
    with register.open("rb") as stream:
        return stream.readline(1000).decode(errors="replace").rstrip() == ",".join(COLUMNS)


def _former(out: Path) -> list[str]:
    """List the files of the job that a folder holds, as its job.json tells them."""
    index = out / INDEX
    if not index.is_file():
        return []
    try:
        volumes = [volume["file"] for volume in json.loads(index.read_bytes())["volumes"]]
        names = [Path(file).name for file in volumes]
    except (ValueError, TypeError, KeyError) as error:
        what = f"le fichier {INDEX} n’est pas celui d’un lot."
        remedy = "Choisissez un autre dossier, ou déplacez ce fichier."
        raise InvalidInput(Problem(what, str(out), remedy)) from error
    return [*names, MANIFEST, TICKET, INDEX]
