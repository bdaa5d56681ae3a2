"""QR symbols drawn from tables: segno's very symbols, and codes that a reader reads."""

import base64
import random
from pathlib import Path

import numpy as np
import pytest
import zxingcpp
from hypothesis import given
from hypothesis import strategies as st

from docgen import pagecode
from docgen.datafolder import data_folder
from docgen.pagecode import PageCode
from docgen.rendering import symbols
from docgen.rendering.symbols import MODULES, QUIET, Bits, SymbolTable, load_table, segno_image
from tests.helpers import KEY

FILE = "qr-2q3.table"


@pytest.fixture(scope="module")
def table() -> SymbolTable:
    return load_table(data_folder() / "cache")


def text_of_payload(payload: bytes) -> str:
    return "C1" + base64.b32encode(payload).decode().rstrip("=")


def picture(image: bytes, scale: int) -> Bits:
    """Draw a symbol with its quiet zone, so many pixels a module."""
    rows = np.unpackbits(np.frombuffer(image, np.uint8).reshape(MODULES, 4), axis=1)
    grey = np.pad(rows[:, :MODULES] * 255, QUIET, constant_values=255).astype(np.uint8)
    return np.kron(grey, np.ones((scale, scale), np.uint8))


def test_two_thousand_random_codes_are_those_of_segno(table: SymbolTable) -> None:
    chance = random.Random(2026)  # noqa: S311
    payloads = [chance.randbytes(16) for _ in range(2_000)]
    drawn = table.draw(b"".join(payloads))
    assert len(drawn) == 2_000
    wrong = [
        payload
        for payload, image in zip(payloads, drawn, strict=True)
        if image != segno_image(text_of_payload(payload)).tobytes()
    ]
    assert wrong == []


@given(payload=st.binary(min_size=16, max_size=16))
def test_any_code_is_that_of_segno(table: SymbolTable, payload: bytes) -> None:
    (drawn,) = table.draw(payload)
    assert drawn == segno_image(text_of_payload(payload)).tobytes()


@pytest.mark.parametrize(
    "payload", [bytes(16), b"\xff" * 16, b"\x80" + bytes(15), bytes(15) + b"\1"]
)
def test_codes_at_the_bounds_are_those_of_segno(table: SymbolTable, payload: bytes) -> None:
    assert table.draw(payload) == [segno_image(text_of_payload(payload)).tobytes()]


@pytest.mark.parametrize("scale", [2, 3, 4, 7])
def test_codes_are_read_back(table: SymbolTable, scale: int) -> None:
    codes = [PageCode(bytes([n] * 6), n % 200 + 1, 200, n % 3) for n in range(40)]
    drawn = table.draw(b"".join(pagecode.payload(KEY, code) for code in codes))
    for code, image in zip(codes, drawn, strict=True):
        (found,) = zxingcpp.read_barcodes(
            picture(image, scale), formats=zxingcpp.BarcodeFormat.QRCodeModel2
        )
        assert found.text == pagecode.make(KEY, code)


def test_a_code_is_a_hundred_bytes(table: SymbolTable) -> None:
    assert [len(image) for image in table.draw(b"\x5a" * 48)] == [MODULES * 4] * 3


def test_no_code_is_drawn_for_nothing(table: SymbolTable) -> None:
    assert table.draw(b"") == []


def test_half_a_payload_is_an_error(table: SymbolTable) -> None:
    with pytest.raises(ValueError, match="reshape"):
        table.draw(bytes(24))


def test_the_table_is_built_once_and_then_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    first = load_table(tmp_path / "new" / "cache")
    assert [path.name for path in (tmp_path / "new" / "cache").iterdir()] == [FILE]
    monkeypatch.setattr(symbols, "build_basis", lambda: pytest.fail("built again"))
    second = load_table(tmp_path / "new" / "cache")
    assert first.draw(b"docgen docgen!!!") == second.draw(b"docgen docgen!!!")
    assert capfd.readouterr() == ("", "")


def _damages() -> dict[str, bytes]:
    folder = data_folder() / "cache"
    load_table(folder)
    good = (folder / FILE).read_bytes()
    turned = bytearray(good)
    turned[-50] ^= 1
    return {
        "another file": b"not a table at all",
        "cut in the head": good[:20],
        "cut in the body": good[:-1],
        "another length": good[100:],
        "empty": b"",
        "one bit turned": bytes(turned),
    }


@pytest.mark.parametrize(
    "damage",
    [
        *("another file", "cut in the head", "cut in the body", "another length", "absent"),
        *("empty", "one bit turned"),
    ],
)
def test_a_damaged_table_is_built_again(tmp_path: Path, damage: str) -> None:
    if damage != "absent":
        (tmp_path / FILE).write_bytes(_damages()[damage])
    table = load_table(tmp_path)
    payload = b"\xff" * 16
    assert table.draw(payload) == [segno_image(text_of_payload(payload)).tobytes()]
    assert (tmp_path / FILE).read_bytes() == (data_folder() / "cache" / FILE).read_bytes()
