"""Loan conventions, and whatever a school edits: Word documents ordered, made by a worker, kept.

What an order needs is copied on its row: the same row gives the same documents. A model that a
school gives back is a stranger's file: it is checked in a child with limits, then kept as it came.
"""

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
from django.conf import settings
from django.db import transaction
from django.db.models import prefetch_related_objects
from django.db.models.functions import Now

from docgen import library, records, wording
from docgen.backoffice import claims, models, queue, registers, shelf, store
from docgen.backoffice.events import tell
from docgen.datafolder import data_folder
from docgen.errors import InvalidInput, Problem, TemplateRejected, Unavailable
from docgen.library import Template
from docgen.pagecode import Key
from docgen.rendering import stamping, wordguard
from docgen.rendering.stamping import Stamp
from docgen.rendering.symbols import load_table
from docgen.rendering.wordpackage import MAX_FILE
from docgen.wordpaper import Paper

MOST = 500  # loans of one order: LibreOffice makes ten documents a second
# Seconds before each new try when LibreOffice is absent or does not answer; then it is refused.
WAITS = (5, 30, 60, 300)
ROOM = 64 * 2**20  # bytes that LibreOffice needs to start
REMEDY = "Prévenez l’exploitant, ou demandez le format docx."


class Copied(msgspec.Struct):
    """A loan as it was when its convention was ordered, with its person and its tablet."""

    loan: records.Loan
    person: records.Person
    device: records.Device | None


def order(
    school: models.School,
    slug: str,
    by: str,
    on: date,
    *,
    loans: Sequence[models.Loan] = (),
    kind: wording.Format = "docx",
    is_merged: bool = False,
    is_ours: bool = False,
) -> models.Conversion:
    """Order the documents of these loans, or the school's own without any.

    The school's accepted model serves if it has one, unless `is_ours` asks for ours.

    Raises:
        InvalidInput: with every problem of the order, or of every loan.
    """
    template = _template(slug)
    if problems := list(_order_problems(template, loans, kind, is_merged=is_merged)):
        raise InvalidInput(problems)
    model = None if is_ours else accepted(school, slug)
    row = models.Conversion(
        school=school,
        format=kind,
        is_merged=is_merged,
        on=on,
        letterhead=msgspec.to_builtins(registers.school(school)),
        school_year=loans[0].person.school_year if loans else "",
        loans=msgspec.to_builtins(_copied(school, loans)),
        model=model.sha256 if model else "",
        requested_by=by,
    )
    wording.fillings(_request(row, template))
    with transaction.atomic():
        row.template = shelf.remembered(template)
        row.save(force_insert=True)
        counts = {"documents": len(loans)}
        tell("convention-ordered", str(row.public_id), school=school.pk, actor=by, **counts)
        transaction.on_commit(lambda: queue.ring(queue.WORD, [row.pk]))
    return row


def request(row: models.Conversion) -> wording.Request:
    """Give what was ordered, from what was copied then."""
    return _request(row, shelf.template(row.template))


def stamp(row: models.Conversion, key: Key) -> Stamp | None:
    """Give what codes the documents of an order; None for those that are no paper yet."""
    if row.format != "pdf" or not row.loans:
        return None
    manifest = shelf.template(row.template).manifest
    return Stamp(manifest, key, load_table(data_folder() / "cache"))


def write(
    wanted: wording.Request, model: bytes, folder: Path, stamp: Stamp | None = None
) -> dict[str, Any]:
    """Write the documents into a folder; give the names of those to keep, and the coded ones.

    LibreOffice absent or silent is an answer: `missing` holds its problems.

    Raises:
        InvalidInput: with every reason to refuse the model, or every value refused.
        Unavailable: when the folder cannot be written.
    """
    if model:
        given = folder / "modele.docx"
        given.write_bytes(model)
        wanted = wording.Request(**{**vars(wanted), "model": given})
    try:
        names, papers = wording.write(wanted, folder / "out", stamp)
    except Unavailable as error:
        # A disk that is full hurts LibreOffice too, which does not say so.
        if isinstance(error.__cause__, OSError) or shutil.disk_usage(folder).free < ROOM:
            raise
        return {"missing": [[each.what, each.where, REMEDY] for each in error.problems]}
    archives = [name for name in names if name.endswith(".zip")]
    kept = archives if archives and len(names) > 2 else sorted({*names} - {*archives})
    return {"names": kept, "papers": msgspec.to_builtins(papers)}


def finish(
    row: models.Conversion,
    files: dict[str, str],
    papers: Sequence[tuple[Paper, str]] = (),
) -> bool:
    """Record the files of an order, and its coded papers by their own; False: the claim was lost.

    Raises:
        FileNotFoundError: when one was dropped since it was kept.
    """
    with transaction.atomic():
        store.require({*files.values(), *(sha256 for _, sha256 in papers)})
        if not claims.finish(row, files=files, problems=[]):
            return False
        _expect(row, papers)
        count = len(row.loans)
        tell("convention-ready", str(row.public_id), school=row.school_id, documents=count)
    return True


def fail(row: models.Conversion, problems: list[Problem]) -> bool:
    """Record why an order cannot be made."""
    with transaction.atomic():
        if not claims.fail(row, problems):
            return False
        count = len(problems)
        tell("convention-failed", str(row.public_id), school=row.school_id, problems=count)
    return True


def wait(row: models.Conversion, problems: list[Problem]) -> bool:
    """Try an order again later, and say why it waits; it is refused in the end."""
    if row.delays >= len(WAITS):
        return fail(row, problems)
    return claims.delay(row, WAITS[row.delays], problems=claims.as_lists(problems))


def retry(row: models.Conversion, by: str) -> None:
    """Put an order that was refused or set aside back in the line.

    Raises:
        InvalidInput: when it is neither.
    """
    with transaction.atomic():
        if not claims.try_again(row):
            what = "rien dans cette demande n’attend d’être relancé."
            raise InvalidInput(Problem(what, "", "Suivez-la, ou refaites-la."))
        tell("convention-retried", str(row.public_id), school=row.school_id, actor=by)
        transaction.on_commit(lambda: queue.ring(queue.WORD, [row.pk]))


def accept_model(school: models.School, slug: str, content: bytes, by: str) -> models.SchoolModel:
    """Keep a model that a school edited and gives back.

    Raises:
        TemplateRejected: with every reason to refuse it.
    """
    manifest = _template(slug).manifest
    if len(content) > MAX_FILE:
        what = f"ce modèle dépasse {MAX_FILE // 2**20}\u00a0Mo."
        raise TemplateRejected(Problem(what, "model", "Retirez les images lourdes."))
    wordguard.check(content, manifest)
    with tempfile.NamedTemporaryFile(dir=settings.UPLOADS) as file:
        file.write(content)
        file.flush()
        sha256 = store.keep(Path(file.name))
    with transaction.atomic():
        store.require([sha256])
        row = models.SchoolModel.objects.create(
            school=school, slug=slug, sha256=sha256, accepted_by=by
        )
        tell("model-accepted", f"{school.pk}/{slug}", school=school.pk, actor=by, model=row.pk)
    return row


def accepted(school: models.School, slug: str) -> models.SchoolModel | None:
    """Give the model of a school that is in use: the last one accepted."""
    return models.SchoolModel.objects.filter(school=school, slug=slug).order_by("-pk").first()


def forget_model(school: models.School, slug: str, by: str) -> bool:
    """Go back to our own model; False when the school had none."""
    with transaction.atomic():
        count, _ = models.SchoolModel.objects.filter(school=school, slug=slug).delete()
        if count:
            tell("model-forgotten", f"{school.pk}/{slug}", school=school.pk, actor=by)
    return bool(count)


def _expect(row: models.Conversion, papers: Sequence[tuple[Paper, str]]) -> None:
    """Know the paper that will come home; the same one made again stays one row."""
    manifest = shelf.template(row.template).manifest
    models.Paper.objects.bulk_create(
        [
            models.Paper(
                number=bytes.fromhex(paper.number),
                school_id=row.school_id,
                slug=manifest.slug,
                title=manifest.title,
                reference=paper.reference,
                person=paper.person,
                sides=paper.sides,
                width=stamping.WIDTH,
                height=stamping.HEIGHT,
                needed=paper.needed,
                zones=msgspec.to_builtins(paper.zones),
                sha256=sha256,
                conversion=row,
            )
            for paper, sha256 in papers
        ],
        update_conflicts=True,
        unique_fields=["number"],
        update_fields=["sha256", "conversion", "needed", "zones"],
    )
    # Of the same age, as one order: two tablets lent to somebody are two papers that both hold.
    models.Paper.objects.filter(conversion=row).update(created_at=Now())


def _template(slug: str) -> Template:
    template = library.load(slug)
    if template.manifest.engine != "word":
        what = "ce modèle ne se fait pas sous Word."
        raise InvalidInput(Problem(what, slug, "Faites-en un lot d’impression."))
    return template


def _order_problems(
    template: Template, loans: Sequence[models.Loan], kind: wording.Format, *, is_merged: bool
) -> Iterator[Problem]:
    manifest = template.manifest
    is_for_loans = not all(each.is_constant for each in manifest.fields)
    if loans and not is_for_loans:
        yield Problem(
            "ce modèle ne se remplit pas prêt par prêt.", "loans", "Ne donnez aucun prêt."
        )
    if len(loans) > MOST:
        yield Problem(f"{len(loans)} prêts, pour {MOST} au plus.", "loans", "Procédez par classe.")
    if is_merged and kind != "docx":
        what = "un seul fichier pour tous les prêts se fait au format docx seulement."
        yield Problem(what, "merged", "Demandez le format docx, ou un fichier par prêt.")
    for loan in loans:
        if is_for_loans and loan.person.audience != manifest.audience:
            what = "ce modèle n’est pas pour cette personne."
            yield Problem(what, f"personne {loan.person.internal_id}", "Prenez l’autre convention.")


def _copied(school: models.School, loans: Sequence[models.Loan]) -> list[Copied]:
    prefetch_related_objects(loans, "person__guardians")
    serials = [loan.serial for loan in loans]
    devices = {
        row.serial: records.Device(row.serial, row.model, row.state)
        for row in models.Device.objects.filter(school=school, serial__in=serials)
    }
    return [
        Copied(
            records.Loan(
                *(loan.serial, loan.person.internal_id, loan.start_date, loan.end_date, loan.state)
            ),
            registers.person(loan.person),
            devices.get(loan.serial),
        )
        for loan in loans
    ]


def _request(row: models.Conversion, template: Template) -> wording.Request:
    copied = msgspec.convert(row.loans, list[Copied])
    people = {each.person.id: each.person for each in copied}
    devices = {each.device.serial: each.device for each in copied if each.device}
    return wording.Request(
        template,
        msgspec.convert(row.letterhead, records.School),
        row.on,
        row.format,  # type: ignore[arg-type] # one of four words
        merged=row.is_merged,
        loans=[each.loan for each in copied],
        roster=records.Roster(tuple(people.values()), row.school_year, devices),
    )
