"""The data folder: where it is, and the key of page codes that it keeps."""

import errno
import os
import secrets
import stat
from pathlib import Path

import pytest

from docgen.datafolder import data_folder, page_code_key, page_code_keys
from docgen.errors import Unavailable
from docgen.files import write_whole
from docgen.pagecode import Key
from tests.helpers import refusal


def test_the_folder_is_the_one_that_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCGEN_DATA", "/somewhere/else")
    assert data_folder() == Path("/somewhere/else")


def test_the_folder_is_else_among_the_data_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DOCGEN_DATA")
    monkeypatch.setenv("XDG_DATA_HOME", "/home/me/data")
    assert data_folder() == Path("/home/me/data/docgen")
    monkeypatch.delenv("XDG_DATA_HOME")
    monkeypatch.setenv("HOME", "/home/me")
    assert data_folder() == Path("/home/me/.local/share/docgen")


def test_the_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    first = page_code_key(tmp_path / "data")
    path = tmp_path / "data" / "page-code.key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(path.read_bytes()) == 64
    assert first == page_code_key(tmp_path / "data")
    assert first == Key(1, path.read_bytes())


def test_two_installations_have_two_keys(tmp_path: Path) -> None:
    assert page_code_key(tmp_path / "a") != page_code_key(tmp_path / "b")


def test_a_key_is_renewed_by_the_next_number_and_the_old_one_still_reads(tmp_path: Path) -> None:
    old = page_code_key(tmp_path)
    write_whole(tmp_path / "page-code-2.key", b"the next secret", mode=0o600)
    assert page_code_key(tmp_path) == Key(2, b"the next secret")
    assert page_code_keys(tmp_path)[1] == old


def test_a_line_end_after_the_key_changes_nothing(tmp_path: Path) -> None:
    first = page_code_key(tmp_path)
    with (tmp_path / "page-code.key").open("ab") as stream:
        stream.write(b"\n")
    assert page_code_key(tmp_path) == first


def test_a_key_may_come_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCGEN_KEY", "a long sentence of the installer")
    secret = b"a long sentence of the installer"
    assert page_code_key(tmp_path) == Key(1, secret)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o620])
def test_a_key_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    page_code_key(tmp_path)
    (tmp_path / "page-code.key").chmod(mode)
    (problem,) = refusal(lambda: page_code_key(tmp_path), Unavailable)
    assert problem.remedy == "Retirez les droits des autres : chmod 600 page-code.key."


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (problem,) = refusal(lambda: page_code_key(tmp_path / "file" / "data"), Unavailable)
    assert problem.what.startswith("la clé des codes de page ne peut pas être lue (")


def test_an_empty_key_is_refused(tmp_path: Path) -> None:
    write_whole(tmp_path / "page-code.key", b"\n", mode=0o600)
    with pytest.raises(Unavailable):
        page_code_key(tmp_path)


def test_two_processes_that_start_at_once_have_the_same_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    others: list[Key] = []

    def other_process_is_quicker(size: int) -> str:
        monkeypatch.undo()
        others.append(page_code_key(tmp_path))
        return "ab" * size

    monkeypatch.setattr(secrets, "token_hex", other_process_is_quicker)
    ours = page_code_key(tmp_path)
    assert [ours] == others
    assert page_code_key(tmp_path) == ours


def test_a_disk_without_links_can_hold_the_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_link(*_: object, **__: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_link)
    assert page_code_key(tmp_path) == page_code_key(tmp_path)
