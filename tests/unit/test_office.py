"""LibreOffice: real files of three formats, no network, and an end to what hangs."""

import os
import re
import shutil
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

import pytest

from docgen.errors import TemplateRejected, Unavailable
from docgen.rendering import office
from docgen.rendering.wordmodel import Model
from tests.hostile import models
from tests.unit.test_word import filling, text_of

MODEL = Model(models.OURS, models.TEMPLATE.manifest)


def documents(folder: Path, count: int) -> list[Path]:
    content = MODEL.fill(filling(eleve_nom="Dupont & Fils <b>"))
    return [models.written(folder / f"PE-{number:03}.docx", content) for number in range(count)]


def words(text: str) -> list[str]:
    """Give the words of a text; readers differ on spaces, and only some number the articles."""
    return re.findall(r"\w+", text)


@pytest.mark.parametrize(
    ("kind", "told"),
    [("doc", "application/msword"), ("odt", "opendocument.text"), ("pdf", "application/pdf")],
)
def test_documents_become_another_format(tmp_path: Path, kind: office.Kind, told: str) -> None:
    (tmp_path / "out").mkdir()
    made = office.convert(documents(tmp_path, 3), kind, tmp_path / "out")
    assert [path.name for path in made] == [f"PE-00{number}.{kind}" for number in range(3)]
    found = subprocess.run(
        ["file", "--brief", "--mime-type", *made], capture_output=True, text=True, check=True
    )
    assert [told in line for line in found.stdout.splitlines()] == [True] * 3


def test_a_doc_says_what_the_docx_says(tmp_path: Path) -> None:
    (tmp_path / "doc").mkdir()
    (document,) = documents(tmp_path, 1)
    (made,) = office.convert([document], "doc", tmp_path / "doc")
    program = [office.program(), f"-env:UserInstallation={(tmp_path / 'p').as_uri()}"]
    command = [*program, "--headless", "--convert-to", "txt:Text (encoded):UTF8", "--outdir"]
    for path, name in ((document, "a"), (made, "b")):
        subprocess.run([*command, tmp_path / name, path], check=True, capture_output=True)
    ours, theirs = (next((tmp_path / name).iterdir()).read_text("utf-8-sig") for name in "ab")
    # A .doc indents what Word numbers otherwise: lines are compared without their margins.
    assert [line.strip() for line in theirs.splitlines()] == [
        line.strip() for line in ours.splitlines()
    ]
    assert "Dupont & Fils <b>" in ours
    body = text_of(document.read_bytes()).split("\nVersion")[0]
    assert set(words(body)) <= set(words(ours))


def test_a_pdf_is_tagged_titled_and_french(tmp_path: Path) -> None:
    (made,) = office.convert(documents(tmp_path, 1), "pdf", tmp_path)
    told = subprocess.run(["pdfinfo", made], capture_output=True, text=True, check=True).stdout
    assert re.search(r"Tagged: +yes", told)
    assert "Convention A & B <c>" in told
    assert b"/Lang(fr-FR)" in made.read_bytes()
    text = subprocess.run(["pdftotext", made, "-"], capture_output=True, text=True, check=True)
    assert "Page 1/4" in text.stdout.replace("\u00a0", " ")


@pytest.mark.parametrize("isolated", [True, False])
def test_no_request_leaves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, isolated: bool) -> None:
    """A picture linked to a server that listens: nobody comes, with or without `unshare`."""
    if not isolated:
        monkeypatch.setattr(office, "_isolation", lambda: ())
    came: list[object] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        url = f"http://127.0.0.1:{server.getsockname()[1]}/x.png"
        stop = threading.Event()

        def listen() -> None:
            while not stop.is_set():
                try:
                    came.append(server.accept())
                except TimeoutError:
                    continue

        thread = threading.Thread(target=listen)
        thread.start()
        path = models.written(tmp_path / "PE-1.docx", models.linked_image(url))
        try:
            office.convert([path], "pdf", tmp_path)
        finally:
            stop.set()
            thread.join()
    assert came == []


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x.odb", b"PK\x03\x04"),
        ("x.html", b"<html><body onload='macro:x'>"),
        ("x.docx", b"<html><img src=http://127.0.0.1:9/></html>"),
        ("x.docx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"),
        ("x.docx", b"{\\rtf1}"),
        ("x.doc", models.OURS),
        ("x.docx", models.with_type("document.main+xml", "template.main+xml")),
    ],
)
def test_only_a_docx_is_handed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, content: bytes
) -> None:
    monkeypatch.setattr(office, "_start", lambda *given: pytest.fail("LibreOffice was started"))
    path = models.written(tmp_path / name, content)
    with pytest.raises(TemplateRejected, match="n’est pas un document"):
        office.convert([path], "pdf", tmp_path)


def test_an_office_that_is_absent_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(Unavailable, match=r"LibreOffice manque.*--format docx"):
        office.convert([], "doc", tmp_path)


def test_an_office_that_hangs_is_ended_with_all_that_it_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hangs = tmp_path / "soffice"
    hangs.write_text(f"#!/bin/sh\nsleep 600 &\necho $! >>{tmp_path}/pids\nwait\n")
    hangs.chmod(0o755)
    monkeypatch.setattr(office, "program", lambda: str(hangs))
    start = time.monotonic()
    with pytest.raises(Unavailable, match=r"PE-000.docx"):
        office.convert(documents(tmp_path, 1), "doc", tmp_path, seconds=0.5)
    assert time.monotonic() - start < 10
    pids = [int(pid) for pid in (tmp_path / "pids").read_text().split()]
    assert len(pids) == 2  # tried once more
    for pid in pids:
        assert _is_gone(pid)


def test_what_was_in_hand_when_a_start_ended_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """LibreOffice, killed, leaves half a file and a lock, at which it would stop the next time."""
    real = office.program()
    dies = tmp_path / "soffice"
    half = f"printf '%%PDF-1.7' >{tmp_path}/PE-000.pdf; touch '{tmp_path}/.~lock.PE-000.pdf#'"
    once = f'[ -e {tmp_path}/once ] && exec {real} "$@"; touch {tmp_path}/once'
    dies.write_text(f"#!/bin/sh\n{once}\n{half}\n")
    dies.chmod(0o755)
    monkeypatch.setattr(office, "program", lambda: str(dies))
    (made,) = office.convert(documents(tmp_path, 1), "pdf", tmp_path)
    assert made.stat().st_size > 10_000
    assert not list(tmp_path.glob(".~lock*"))


def test_an_interruption_ends_what_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own group hears nothing of Ctrl-C: without us it would work on for minutes."""
    hangs = tmp_path / "soffice"
    hangs.write_text(f"#!/bin/sh\necho $$ >>{tmp_path}/pids\nsleep 600\n")
    hangs.chmod(0o755)
    monkeypatch.setattr(office, "program", lambda: str(hangs))
    files = documents(tmp_path, 1)
    timer = threading.Timer(1, os.kill, (os.getpid(), signal.SIGINT))
    start = time.monotonic()
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        office.convert(files, "doc", tmp_path)
    assert time.monotonic() - start < 10
    (pid,) = (tmp_path / "pids").read_text().split()
    assert _is_gone(int(pid))


def _is_gone(pid: int) -> bool:
    for _ in range(100):
        try:
            os.kill(pid, signal.SIG_DFL)
        except ProcessLookupError:
            return True
        if "Z" in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]:
            return True
        time.sleep(0.02)
    return False


def test_the_environment_holds_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tells = tmp_path / "soffice"
    tells.write_text(f"#!/bin/sh\nenv >{tmp_path}/env\n")
    tells.chmod(0o755)
    monkeypatch.setattr(office, "program", lambda: str(tells))
    monkeypatch.setenv("DOCGEN_KEY", "a-secret")
    with pytest.raises(Unavailable):
        office.convert(documents(tmp_path, 1), "doc", tmp_path)
    told = (tmp_path / "env").read_text()
    assert "HOME=" in told
    assert "secret" not in told


@pytest.mark.slow
def test_conventions_in_the_time_promised(tmp_path: Path) -> None:
    """One start, then 0.12 s each at most."""
    (tmp_path / "one").mkdir()
    (tmp_path / "all").mkdir()
    files = documents(tmp_path, 31)
    begin = time.monotonic()
    office.convert(files[:1], "doc", tmp_path / "one")
    start = time.monotonic() - begin
    begin = time.monotonic()
    office.convert(files[1:], "doc", tmp_path / "all")
    spent = time.monotonic() - begin
    # Twice the promise: the tests share their machine; the bench tells the figure itself.
    assert spent < 2 * (30 * 0.12 + start)
