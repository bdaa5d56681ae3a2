"""Documents that came home, bound: from real scans of what a job printed."""

import io
import json
import logging
from collections.abc import Iterable
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from django.core.files.storage import default_storage
from django.db import transaction
from pypdf import PdfReader, PdfWriter
from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject

from docgen.backoffice import bindings, claims, logs, models, returns, reviews, store
from docgen.backoffice.gate import SYSTEM
from docgen.datafolder import data_folder, page_code_key
from docgen.rendering import pictures
from samples.scanner import PRINT_DPI, Paper, Recipe
from tests import helpers
from tests.service import town
from tests.service.test_scans_reading import abort
from workers.scans import bind_returns, read_scan

pytestmark = pytest.mark.django_db(transaction=True)
SHARP = Recipe("office", dpi=150)


@pytest.fixture
def job() -> models.PrintJob:
    return town.job(town.school(), 1, copies=1)


def came(
    folder: Path,
    school: models.School | None,
    sides: Iterable[Paper],
    **options: Any,  # noqa: ANN401
) -> models.ScanBatch:
    """Have sides scanned, sent, read and bound."""
    path = folder / f"{models.ScanBatch.objects.count()}.pdf"
    batch = town.sent(town.pile(path, sides, **{"recipe": SHARP, **options}), school)
    read_scan("1")
    bind_returns("1")
    return batch


def content(row: models.Return) -> bytes:
    row.refresh_from_db()
    return b"".join(store.blocks(row.sha256))


def told(kind: str) -> list[dict[str, Any]]:
    return list(
        models.Event.objects.filter(kind=kind).order_by("pk").values_list("facts", flat=True)
    )


def test_the_signed_side_is_enough_and_the_others_come_from_the_print(
    job: models.PrintJob, tmp_path: Path
) -> None:
    papers = town.papers(job)
    came(tmp_path, job.school, papers[2:])
    row = models.Return.objects.get()
    assert (row.stage, row.missing, row.unsigned, row.problems) == ("bound", [], [], [])
    assert (row.bound_version, row.version, row.size) == (1, 1, len(content(row)))
    assert row.bound_at
    batch = models.ScanBatch.objects.get()
    assert [
        (each["side"], each["origin"], each["scan"], each["number"]) for each in row.sources
    ] == [
        (1, "print", None, None),
        (2, "print", None, None),
        (3, "scan", str(batch.pk), 1),
    ]
    assert told("return-bound") == [{"sides": 3, "missing": 0, "unsigned": 0}]
    helpers.qpdf_check(content(row), tmp_path)
    key = page_code_key(data_folder())
    for side, picture in enumerate(pictures.greys(content(row), 200), 1):
        found = {(code.document.hex(), code.side) for code in helpers.codes_of(picture, key)}
        assert found == {(papers[0].document, side)}
    assert "ESSAI" in helpers.text_of(content(row), 1)  # the print says what it said


def test_a_side_that_nobody_signed_is_told_and_bound(job: models.PrintJob, tmp_path: Path) -> None:
    came(tmp_path, job.school, town.papers(job)[2:], is_signed=False)
    row = models.Return.objects.get()
    assert row.stage == "bound"
    labels = [zone.label for zone in returns.rule(_document(job)).zones if zone.required]
    assert len(labels) == 2
    assert row.unsigned == [{"side": 3, "zone": label} for label in labels]
    assert told("return-bound") == [{"sides": 3, "missing": 0, "unsigned": 2}]


def _document(job: models.PrintJob) -> returns.Printed:
    (row,) = returns.printed([town.papers(job)[0].document]).values()
    return row


def test_what_comes_in_two_batches_is_bound_when_it_is_whole(tmp_path: Path) -> None:
    edits = {"manifest.toml": [('returns = "signed"', 'returns = "all"')]}
    template = helpers.edited(tmp_path, edits)
    job = town.job(town.school(), 1, copies=1, template=template)
    papers = town.papers(job)
    came(tmp_path, job.school, papers[2:], is_signed=False)
    row = models.Return.objects.get()
    assert (row.stage, row.needed, row.missing, row.sha256) == ("partial", [1, 2, 3], [1, 2], "")
    assert len(row.unsigned) == 2  # looked for before the document is whole
    assert told("return-incomplete") == [{"sides": 3, "missing": 2, "unsigned": 2}]
    came(tmp_path, job.school, [papers[1], papers[0]])
    row.refresh_from_db()
    assert (row.stage, row.missing) == ("bound", [])
    assert {each["origin"] for each in row.sources} == {"scan"}
    assert len({each["scan"] for each in row.sources}) == 2
    assert len(PdfReader(io.BytesIO(content(row))).pages) == 3


def test_a_print_whose_values_are_gone_is_not_made_again(
    job: models.PrintJob, tmp_path: Path
) -> None:
    papers = town.papers(job)
    models.PrintJob.objects.update(letterhead={}, constants={})
    models.Document.objects.update(values={}, title="")
    bindings._run.cache_clear()
    came(tmp_path, job.school, papers[2:])
    row = models.Return.objects.get()
    assert row.stage == "bound"
    assert [each["side"] for each in row.sources] == [3]
    ((what, where, _),) = row.problems
    assert "plus gardée" in what
    assert where.endswith("1, 2")


def test_a_signed_file_that_is_not_archival_is_told(
    job: models.PrintJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def printed(original: bindings.Print, stream: BinaryIO) -> None:
        writer = PdfWriter()
        for _ in range(3):
            page = writer.add_blank_page(595.28, 841.89)
            font = {"/Type": "/Font", "/Subtype": "/Type1", "/BaseFont": "/Times-Roman"}
            named = DictionaryObject({NameObject(k): NameObject(v) for k, v in font.items()})
            fonts = DictionaryObject({NameObject("/F"): named})
            text = DecodedStreamObject()
            text.set_data(b"BT /F 9 Tf (x) Tj ET")
            page[NameObject("/Contents")] = text
            page[NameObject("/Resources")] = DictionaryObject({NameObject("/Font"): fonts})
        writer.write(stream)

    monkeypatch.setattr(bindings, "_print", printed)
    monkeypatch.setattr(bindings, "_empty", lambda *_: {})
    came(tmp_path, job.school, town.papers(job)[2:])
    row = models.Return.objects.get()
    assert row.stage == "bound"
    assert row.problems[-1] == claims.as_lists([bindings.NOT_ARCHIVAL])[0]


def test_a_side_that_is_taken_out_takes_the_signed_file_with_it(
    job: models.PrintJob, tmp_path: Path
) -> None:
    batch = came(tmp_path, job.school, town.papers(job)[2:])
    row = models.Return.objects.get()
    signed = row.sha256
    reviews.discard(batch.pages.get(), "wrong paper", SYSTEM)
    row.refresh_from_db()
    assert (row.stage, row.missing, row.sha256, row.sources) == ("empty", [3], "", [])
    assert not default_storage.exists(store.name(signed))
    bind_returns("1")
    row.refresh_from_db()
    assert row.stage == "empty"
    reviews.undo(batch.pages.get(), SYSTEM)
    bind_returns("1")
    row.refresh_from_db()
    assert (row.stage, row.version) == ("bound", 3)


def test_a_better_scan_has_the_document_bound_again(job: models.PrintJob, tmp_path: Path) -> None:
    papers = town.papers(job)[2:]
    came(tmp_path, job.school, papers)
    row = models.Return.objects.get()
    first = row.sha256
    models.ScannedPage.objects.update(quality=0.01)
    better = came(tmp_path, job.school, papers, seed=2)
    row.refresh_from_db()
    assert (row.stage, row.bound_version) == ("bound", 2)
    assert row.sources[2]["scan"] == str(better.pk)
    assert row.sha256 != first
    assert not default_storage.exists(store.name(first))


def test_what_changed_while_it_was_bound_is_left_to_its_younger_binding(
    job: models.PrintJob, tmp_path: Path
) -> None:
    town.sent(town.pile(tmp_path / "x.pdf", town.papers(job)[2:], recipe=SHARP), job.school)
    read_scan("1")
    late = claims.claim(models.Binding)
    assert late
    made = bindings.make(bindings.begin(late), tmp_path, lambda _: None)
    row = models.Return.objects.get()
    with transaction.atomic():
        returns.gather([row.pk])
    path = tmp_path / made[0]["file"]
    files = {str(row.pk): (store.keep(path), path.stat().st_size)}
    assert bindings.finish(late, made, files)
    row.refresh_from_db()
    assert (row.stage, row.version, row.sha256) == ("complete", 2, "")
    assert not default_storage.exists(store.name(files[str(row.pk)][0]))
    assert not bindings.finish(late, made, {})
    bind_returns("1")
    row.refresh_from_db()
    assert (row.stage, row.bound_version) == ("bound", 2)


def test_a_document_that_kills_its_worker_is_left_out_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = town.job(town.school(), 3, copies=1)
    papers = town.papers(job)
    deadly = bytes.fromhex(papers[3].document)
    real = bindings._made

    def made(wanted: bindings.Wanted, *rest: Any) -> dict[str, Any]:  # noqa: ANN401
        row = models.Return(reference=wanted.facts.reference)
        if row.reference == reference:
            abort()
        return real(wanted, *rest)

    reference = models.Document.objects.get(number=deadly).reference
    monkeypatch.setattr(bindings, "_made", made)
    came(tmp_path, job.school, [papers[2], papers[5], papers[8]])
    rows = {row.reference: row for row in models.Return.objects.all()}
    assert rows.pop(reference).problems == claims.as_lists([bindings.TOO_HEAVY])
    assert [row.stage for row in rows.values()] == ["bound", "bound"]
    assert models.Binding.objects.get().state == "done"


def test_a_side_filed_by_hand_is_bound_and_its_signatures_are_left_to_a_person(
    job: models.PrintJob, tmp_path: Path
) -> None:
    paper = town.papers(job)[2]
    for corner in paper.codes:
        x, y = (round(mm * PRINT_DPI / 25.4) for mm in paper.centre(corner))
        paper.picture[y - 120 : y + 120, x - 120 : x + 120] = 255  # the codes are torn off
    batch = came(tmp_path, job.school, [paper])
    page = batch.pages.get()
    assert page.outcome in ("unknown", "unreadable")
    reviews.assign(page, models.Document.objects.get().reference, 3, SYSTEM)
    bind_returns("1")
    row = models.Return.objects.get()
    assert row.stage == "bound"
    assert row.sources[2]["is_fitted"]
    assert [where for _, where, _ in row.problems] == ["face\u00a03"] * 2  # two zones
    assert all("sa place sur l’image n’est pas sûre" in what for what, _, _ in row.problems)
    assert row.unsigned == []


def test_a_zone_out_of_the_image_is_neither_empty_nor_signed(
    job: models.PrintJob, tmp_path: Path
) -> None:
    paper = town.papers(job)[2]
    zone = max(paper.zones, key=lambda each: each.y)
    _, top = paper.place(zone.x, zone.y + zone.height / 2)
    paper.picture = paper.picture[: round(top * PRINT_DPI / 25.4)]
    paper._sizes.clear()
    came(tmp_path, job.school, [paper], is_signed=False)
    row = models.Return.objects.get()
    assert row.unsigned == []
    assert len(row.problems) == 2
    assert all("regardée" in what for what, _, _ in row.problems)


def test_a_pile_of_several_schools_is_bound_school_by_school(tmp_path: Path) -> None:
    jobs = [town.job(town.school(uai), 1, copies=1) for uai in ("", "0750001K")]
    came(tmp_path, None, [town.papers(job)[2] for job in jobs])
    assert {row.stage for row in models.Return.objects.all()} == {"bound"}
    assert {row.school_id for row in models.Binding.objects.all()} == {
        job.school_id for job in jobs
    }
    assert {event.school for event in models.Event.objects.filter(kind="return-bound")} == {
        job.school_id for job in jobs
    }


def test_no_name_is_left_where_it_has_no_business(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logs.Line())
    root = logging.getLogger()
    root.addHandler(handler)
    level = root.level
    root.setLevel(logging.DEBUG)
    try:
        school = town.school()
        job = town.job(school, 2, copies=1)
        papers = town.papers(job)
        path = town.pile(tmp_path / "CANARIQZX.pdf", papers[:3], recipe=SHARP)
        town.sent(path, school)
        harmed = tmp_path / "CANARIQZX2.pdf"
        harmed.write_bytes(b"%PDF-1.7 CANARIQZX")
        town.sent(harmed, school)
        read_scan("1")
        bind_returns("1")
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
    assert models.ScanBatch.objects.filter(label__startswith="CANARIQZX").count() == 2
    events = json.dumps(list(models.Event.objects.values("kind", "subject", "facts")))
    assert "return-bound" in events
    assert "scan-refused" in events
    said = {"logs": stream.getvalue(), "processes": "".join(capfd.readouterr()), "events": events}
    found = [
        f"{place}: {name}"
        for place, text in said.items()
        for name in ("CANARIQZX", "ESSAI", "Zoé")
        if name in text
    ]
    assert found == []
