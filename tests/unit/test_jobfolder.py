"""A job on disk: whole or not at all, its manifest safe to open, its digests true."""

import csv
import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from docgen import jobfolder
from docgen.errors import FieldDoesNotFit, InvalidInput, MissingGlyph, Unavailable
from docgen.jobfolder import COLUMNS, TICKET, cell, name, staged, write_job
from docgen.press import Job
from docgen.records import Person
from tests.helpers import ON, PERSON, job, people, poppler, refusal

LONG = replace(PERSON, id="long", first_name="W" * 100)
ODD = replace(PERSON, id="odd", first_name="日")
REFUSED = replace(PERSON, id="refused", birth_date=None)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """Write a job of five people in volumes of two; give its folder and its job.json."""
    out = tmp_path_factory.mktemp("jobs") / "out"
    persons = [*people(4), replace(PERSON, id="=1+1", division="@SUM(A1)", family_name="Z")]
    write_job(job(persons, volume=2, separators=True), out)
    return out, json.loads((out / "job.json").read_text(encoding="utf-8"))


def rows(out: Path) -> list[dict[str, str]]:
    with (out / "manifest.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def listed(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def unticketed(patch: pytest.MonkeyPatch) -> None:
    """Spare the ticket, half a second each, to tests that are not about it."""
    patch.setattr("docgen.rendering.ticket.ticket", lambda facts: b"ticket")


def test_a_job_is_its_volumes_its_manifest_its_ticket_and_its_report(
    written: tuple[Path, dict[str, Any]],
) -> None:
    out, report = written
    volumes = [f"{report['job']}-{number}.pdf" for number in ("001", "002", "003")]
    assert listed(out) == sorted([*volumes, "bon-impression.pdf", "job.json", "manifest.csv"])
    assert [volume["file"] for volume in report["volumes"]] == volumes


def test_the_report_says_what_was_made(written: tuple[Path, dict[str, Any]]) -> None:
    report = dict(written[1])
    assert {"template", "layout", "documents", "sides", "sheets", "volumes", "seconds"} <= set(
        report
    )
    assert isinstance(report.pop("seconds"), float)
    volumes = report.pop("volumes")
    assert report.pop("job").startswith("PC-0130010R-entier-")
    assert report == {
        "template": "petite-charte",
        "version": "1",
        "layout": "entier",
        "school": "0130010R",
        "date": ON.isoformat(),
        "documents": 5,
        "sides": 15,
        "sheets": 13,  # two for each document, and the separators
        "separators": 3,  # one at the head of each volume: a class cut in two has two
        "copies": 1,
        "flip": "grand côté",
        "pdf_x": "",
    }
    assert [set(volume) for volume in volumes] == [
        {"file", "documents", "sides", "sheets", "sha256"}
    ] * 3
    assert [volume["documents"] for volume in volumes] == [2, 2, 1]
    assert sum(volume["sides"] for volume in volumes) == 15
    assert sum(volume["sheets"] for volume in volumes) == report["sheets"]


def test_the_digest_of_a_volume_is_that_of_its_file(written: tuple[Path, dict[str, Any]]) -> None:
    out, report = written
    for volume in report["volumes"]:
        assert volume["sha256"] == hashlib.sha256((out / volume["file"]).read_bytes()).hexdigest()


def test_the_manifest_has_a_row_for_each_document(written: tuple[Path, dict[str, Any]]) -> None:
    out, report = written
    first = (out / "manifest.csv").read_bytes().split(b"\n")[0]
    assert first == b"reference,person,class,volume,first_side,last_side,sheets,sha256"
    assert tuple(first.decode().split(",")) == COLUMNS
    found = rows(out)
    assert [row["person"] for row in found] == ["E0000", "E0001", "E0002", "E0003", "'=1+1"]
    files = [volume["file"] for volume in report["volumes"]]
    assert [files.index(row["volume"]) for row in found] == [0, 0, 1, 1, 2]
    spans = [(row["first_side"], row["last_side"], row["sheets"]) for row in found]
    first, second = ("3", "5", "2"), ("7", "9", "2")  # after the separator and its bare back
    assert spans == [first, second, first, second, first]
    for row in found:
        pages = poppler(
            *("pdftotext", (out / row["volume"]).read_bytes()),
            *("-f", row["first_side"], "-l", row["last_side"]),
        )
        assert pages.count(row["reference"]) == 3
    assert len({row["sha256"] for row in found}) == 5


def test_the_manifest_holds_no_name(written: tuple[Path, dict[str, Any]]) -> None:
    text = (written[0] / "manifest.csv").read_text(encoding="utf-8")
    assert "ESSAI" not in text
    assert "Zoé" not in text


def test_what_a_spreadsheet_would_take_for_a_formula_is_plain_text(
    written: tuple[Path, dict[str, Any]],
) -> None:
    assert rows(written[0])[-1]["class"] == "'@SUM(A1)"
    assert rows(written[0])[-1]["person"] == "'=1+1"


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "\0", "＝", "＠"])
def test_a_cell_never_starts_as_a_formula(start: str) -> None:
    assert cell(f"{start}1+1") == f"'{start}1+1"
    assert cell(start) == f"'{start}"


@pytest.mark.parametrize("text", ["", "2DE 1", "a=1", "1+1", "É", "'x"])
def test_an_ordinary_cell_is_left_alone(text: str) -> None:
    assert cell(text) == text


def test_the_ticket_is_of_this_job(written: tuple[Path, dict[str, Any]]) -> None:
    out, report = written
    text = poppler("pdftotext", (out / TICKET).read_bytes(), "-layout")
    assert report["job"] in text
    assert "Petite charte d’essai" in text


def test_the_same_job_is_the_same_files(
    written: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    out, _ = written
    persons = [*people(4), replace(PERSON, id="=1+1", division="@SUM(A1)", family_name="Z")]
    write_job(job(persons, volume=2, separators=True), tmp_path)
    assert listed(tmp_path) == listed(out)
    for each in set(listed(out)) - {"job.json"}:
        assert (tmp_path / each).read_bytes() == (out / each).read_bytes()


def test_jobs_are_named_by_what_decides_their_documents() -> None:
    persons = people(2)
    jobs = [
        job(persons),
        job(persons, copies=2),
        job(persons, separators=True),
        job(persons, classes=("2DE 1",)),
        job(persons, ordering="name"),
        job(persons, "reduction"),
    ]
    assert len({name(made) for made in jobs}) == 6
    assert name(job(persons)) == name(job(persons, volume=7))


def test_progress_tells_how_many_documents_are_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unticketed(monkeypatch)
    seen: list[int] = []
    write_job(job(people(5), volume=2), tmp_path / "out", seen.append)
    assert seen == [2, 4, 5]


# --- all or nothing

FAULTS: dict[str, tuple[list[Person], type[Exception], int]] = {
    "value too long": ([PERSON, LONG], FieldDoesNotFit, 1),
    "character missing": ([PERSON, ODD, ODD], MissingGlyph, 2),
    "value refused": ([PERSON, REFUSED], InvalidInput, 1),
    "everything": ([LONG, ODD, REFUSED], InvalidInput, 3),
    "too long and missing": ([LONG, ODD], MissingGlyph, 2),
}


@pytest.mark.parametrize("before", ["absent", "empty", "other files"])
@pytest.mark.parametrize("fault", FAULTS)
def test_nothing_is_left_when_a_document_cannot_be_made(
    tmp_path: Path, fault: str, before: str
) -> None:
    persons, kind, count = FAULTS[fault]
    out = tmp_path / "out"
    if before != "absent":
        out.mkdir()
    if before == "other files":
        (out / "notes.txt").write_text("mine", encoding="utf-8")
    problems = refusal(lambda: write_job(job(persons, volume=1), out), kind)  # type: ignore[arg-type]
    assert len(problems) == count
    assert not any("ESSAI" in str(each) for each in problems)
    if before == "absent":
        assert not out.exists()
    else:
        assert listed(out) == (["notes.txt"] if before == "other files" else [])


def test_a_former_job_stays_when_the_new_one_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unticketed(monkeypatch)
    write_job(job(people(2)), tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    refusal(lambda: write_job(job([PERSON, LONG]), tmp_path), FieldDoesNotFit)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_former_job_is_replaced_and_its_last_volumes_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unticketed(monkeypatch)
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    first = write_job(job(people(5), volume=1), tmp_path)
    assert len(first.volumes) == 5
    second = write_job(job(people(1)), tmp_path)
    third = write_job(job(people(1), "reduction"), tmp_path)
    assert second.job != third.job
    assert listed(tmp_path) == sorted(
        [TICKET, "job.json", "manifest.csv", "notes.txt", third.volumes[0].file]
    )
    assert (tmp_path / "notes.txt").read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError, ValueError])
@pytest.mark.parametrize("moment", ["ticket", "last volume"])
def test_nothing_is_left_when_the_work_is_stopped(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    error: type[BaseException],
    moment: str,
) -> None:
    def stop(*_: object) -> bytes:
        raise error

    unticketed(monkeypatch)
    if moment == "ticket":
        monkeypatch.setattr("docgen.rendering.ticket.ticket", stop)
    else:
        bind, calls = jobfolder.bind, iter((False, True))
        monkeypatch.setattr(
            jobfolder, "bind", lambda *given: stop() if next(calls) else bind(*given)
        )
    with pytest.raises(Unavailable if error is OSError else error):
        write_job(job(people(2), volume=1), tmp_path / "out")
    assert listed(tmp_path) == []


def test_no_folder_is_left_of_a_path_that_did_not_exist(tmp_path: Path) -> None:
    refusal(lambda: write_job(job([LONG]), tmp_path / "a" / "b" / "out"), FieldDoesNotFit)
    assert listed(tmp_path) == []


def stopped_at(patch: pytest.MonkeyPatch, number: int) -> None:
    """Let so many files of a job take their place, then fail."""
    replace_file, calls = Path.replace, iter(range(99))

    def stop(path: Path, target: Path) -> Path:
        if target.parent.name == "out" and next(calls) == number:
            raise OSError(28, "No space left on device")
        return replace_file(path, target)

    patch.setattr(Path, "replace", stop)


@pytest.mark.parametrize("number", [0, 1, 3])
def test_a_move_that_fails_never_leaves_a_job_that_looks_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    unticketed(monkeypatch)
    made = job(people(1))
    stopped_at(monkeypatch, number)
    with pytest.raises((OSError, Unavailable)):
        write_job(made, tmp_path / "out")
    assert not (tmp_path / "out" / "job.json").exists()


def test_a_move_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    unticketed(monkeypatch)
    made = job(people(1))
    stopped_at(monkeypatch, 2)
    with pytest.raises((OSError, Unavailable), match="plein"):
        write_job(made, tmp_path / "out")
    assert listed(tmp_path) == []


def test_a_former_job_stays_when_the_move_of_the_new_one_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unticketed(monkeypatch)
    out = tmp_path / "out"
    write_job(job(people(2)), out)
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    made = job(people(1))
    stopped_at(monkeypatch, 0)
    with pytest.raises((OSError, Unavailable)):
        write_job(made, out)
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


@pytest.mark.parametrize("content", ['{"mine": 1}', '{"volumes": [1]}', "[]", "not JSON", ""])
def test_a_job_json_of_somebody_else_is_not_lost_in_silence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str
) -> None:
    unticketed(monkeypatch)
    (tmp_path / "job.json").write_text(content, encoding="utf-8")
    with pytest.raises((Unavailable, InvalidInput)):
        write_job(job(people(1)), tmp_path)
    assert listed(tmp_path) == ["job.json"]
    assert (tmp_path / "job.json").read_text(encoding="utf-8") == content


def test_a_former_job_cannot_have_files_of_other_folders_taken_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unticketed(monkeypatch)
    out, kept = tmp_path / "out", tmp_path / "kept.pdf"
    out.mkdir()
    kept.touch()
    volumes = [{"file": "../kept.pdf"}, {"file": str(kept)}]
    (out / "job.json").write_text(json.dumps({"volumes": volumes}), encoding="utf-8")
    write_job(job(people(1)), out)
    assert kept.exists()


# --- folders that cannot be written


def bad_folders(folder: Path) -> Iterator[Path]:
    (folder / "file").touch()
    yield folder / "file"
    yield folder / "file" / "out"
    yield Path("/proc/out")


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    made = job(people(1))
    for out in bad_folders(tmp_path):
        (problem,) = refusal(lambda out=out: write_job(made, out), Unavailable)  # type: ignore[misc]
        assert problem.where == str(out)
        assert problem.what.startswith("le dossier ne peut pas être écrit (")
        assert problem.remedy == "Choisissez un autre dossier."


def test_a_folder_whose_name_is_too_long_is_told(tmp_path: Path) -> None:
    with pytest.raises(Unavailable):
        write_job(job(people(1)), tmp_path / ("x" * 300))


def test_staged_files_move_together(tmp_path: Path) -> None:
    with staged(tmp_path / "out") as folder:
        (folder / "job.json").write_text("{}", encoding="utf-8")
        (folder / "a").touch()
        assert folder.parent == tmp_path / "out"
        assert [path.name for path in (tmp_path / "out").iterdir()] == [folder.name]
    assert listed(tmp_path / "out") == ["a", "job.json"]


def test_files_staged_anew_take_the_place_of_none(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with staged(out, anew=True) as folder:
        (folder / "b").write_text("first", encoding="utf-8")
    (problem,) = refusal(lambda: add_two(out), InvalidInput)
    assert problem.what == "un fichier du même nom vient d’y être écrit."
    assert listed(out) == ["b"]
    assert (out / "b").read_text(encoding="utf-8") == "first"


def add_two(out: Path) -> None:
    with staged(out, anew=True) as folder:
        (folder / "a").touch()
        (folder / "b").write_text("second", encoding="utf-8")


def test_a_job_that_is_written_twice_tells_its_problems_once(tmp_path: Path) -> None:
    made: Job = job([PERSON, REFUSED])
    for _ in range(2):
        problems = refusal(lambda: write_job(made, tmp_path / "out"), InvalidInput)
    assert len(problems) == 1


def test_a_press_that_was_killed_while_files_moved_does_not_bar_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unticketed(monkeypatch)
    index = tmp_path / "out" / "job.json"
    write_job(job(people(2)), index.parent)
    index.unlink()  # the index goes first and comes last
    write_job(job(people(1)), index.parent)
    assert json.loads(index.read_text(encoding="utf-8"))["documents"] == 1
