"""What piles of signed paper hold besides it: blank backs, delivery notes, codes that are not ours.

Shapes are those of printed sides at `scanner.PRINT_DPI`, (height, width) in pixels.
"""

from dataclasses import replace

import numpy as np
import zxingcpp
from numpy.random import Generator
from PIL import Image, ImageDraw

from docgen.pagecode import Key, PageCode, payload
from docgen.rendering.symbols import MODULES, ROW_BYTES, SymbolTable
from samples import scanning_paper as paperwork
from samples.scanner import POINTS, PRINT_DPI, Paper
from samples.scanning_paper import MM, Pixels

A4 = (3508, 2480)
ARTICLES = ("Ramettes A4 80 g", "Toner noir", "Agrafes 24/6", "Tablettes 10,3 po", "Câbles USB-C")


def blank_back(shape: tuple[int, int] = A4) -> Paper:
    """Give a side with nothing on it."""
    return Paper(np.full(shape, 255, np.uint8), kind="blank")


def written_back(rng: Generator, shape: tuple[int, int] = A4) -> Paper:
    """Give a back with one short line written by hand."""
    curves = paperwork.written_line(rng, rng.uniform(25, 110), rng.uniform(2.5, 4.5))
    high, wide = (length * MM / PRINT_DPI for length in shape)
    at = rng.uniform(15, wide - 130), rng.uniform(20, high - 30)
    moved = [curve + at for curve in curves]
    ink, width = str(rng.choice(["blue", "black"])), rng.uniform(0.3, 0.6)
    white = np.full(shape, 255, np.uint8)
    picture = paperwork.stroke(white, PRINT_DPI, moved, width, rng, ink=ink)
    return Paper(picture, kind="line")


def recoded(
    paper: Paper, key: Key, symbols: SymbolTable, rng: Generator, *, edited: bool = False
) -> Paper:
    """Give the same side as printed with another key, or with its codes edited.

    An edited code keeps the tag it had, and tells another side, total or document: one bit differs.
    """
    codes = []
    changed, bit = int(rng.integers(1, 9)), 1 << int(rng.integers(0, 8))
    for corner in paper.codes:
        code = PageCode(bytes.fromhex(paper.document), paper.side, paper.sides, corner)
        data = bytearray(payload(key, code))
        data[changed] ^= bit if edited else 0
        codes.append(bytes(data))
    picture = paper.picture.copy()
    images = symbols.draw(b"".join(codes))
    for (x, y, size), image in zip(paper.codes.values(), images, strict=True):
        bits = np.unpackbits(np.frombuffer(image, np.uint8).reshape(-1, ROW_BYTES), axis=1)
        side = round(size * PRINT_DPI / POINTS)
        left, top = (round(mm * PRINT_DPI / MM) for mm in paper.place(x, y + size))
        symbol = Image.fromarray(bits[:, :MODULES] * np.uint8(255))
        drawn = symbol.resize((side, side), Image.Resampling.NEAREST)
        picture[top : top + side, left : left + side] = np.asarray(drawn)
    return replace(paper, picture=picture, kind="edited" if edited else "foreign", _sizes={})


def letter(rng: Generator) -> Paper:
    """Give a side of text without any code."""
    return Paper(_text(rng, "Note de service"), kind="letter")


def delivery_note(rng: Generator) -> Paper:
    """Give a delivery note, with a QR code and a bar code of its maker."""
    number = f"BL{rng.integers(10**9):09}"
    picture = _text(rng, f"Bon de livraison {number}")
    address = f"https://suivi.example/colis/{number}?lot={rng.integers(10**6)}"
    square = _symbol(address, zxingcpp.BarcodeFormat.QRCodeModel2, int(rng.integers(6, 11)))
    bars = _symbol(number, zxingcpp.BarcodeFormat.Code128, 4)
    places = [(140, 140), (A4[1] - square.shape[1] - 150, 150)]  # where ours might stand
    for symbol, (left, top) in ((square, places[rng.integers(2)]), (bars, (300, 3000))):
        picture[top : top + symbol.shape[0], left : left + symbol.shape[1]] = symbol
    return Paper(picture, kind="note")


def _symbol(text: str, kind: zxingcpp.BarcodeFormat, scale: int) -> Pixels:
    made = zxingcpp.create_barcode(text, kind)
    return np.array(zxingcpp.write_barcode_to_image(made, scale=scale), np.uint8)


def _text(rng: Generator, title: str) -> Pixels:
    image = Image.new("L", A4[::-1], 255)
    draw = ImageDraw.Draw(image)
    draw.text((300, 520), title, 0, paperwork.letters(80))
    small = paperwork.letters(42)
    for row in range(int(rng.integers(12, 32))):
        article = f"{rng.choice(ARTICLES)}   {rng.integers(1, 40)} × {rng.uniform(1, 90):.2f} €"
        draw.text((300, 720 + 70 * row), article, 20, small)
    return np.array(image)
