"""The scan simulator does what it says: the same image twice, the truth of it, files that open."""

import json
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from io import BytesIO
from pathlib import Path

import numpy as np
import pi_heif
import pypdfium2
import pytest
import zxingcpp
from PIL import Image

from bench import scan_report
from bench.report import Target
from bench.scan_sides import Tally, judge
from docgen.errors import CodeRefused
from docgen.pagecode import Key, PageCode, parse
from docgen.scanning.findings import Reading, Seen
from samples import (
    scanner,
    scanning_files,
    scanning_glass,
    scanning_heic,
    scanning_paper,
    scanning_strangers,
)
from samples.scanner import Damage, Paper, Recipe, Scan, Truth
from tests import helpers

OTHER = Key(3, b"the key of another installation")
CLEAN = Recipe("clean", dpi=150)


@cache
def papers() -> tuple[Paper, ...]:
    made = helpers.job(helpers.people(1))
    return tuple(scanner.print_out(made.run, list(made.documents())))


def chance(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


def scanned(recipe: Recipe, paper: Paper | None = None, seed: int = 1, **options: object) -> Scan:
    return scanner.scan(paper or papers()[0], recipe, chance(seed), **options)  # type: ignore[arg-type]


def read(image: Image.Image) -> tuple[set[PageCode], int]:
    """Give the authentic codes of an image, and how many symbols are none."""
    found, refused = set(), 0
    for symbol in zxingcpp.read_barcodes(np.asarray(image.convert("L"))):
        try:
            found.add(parse(symbol.text, {helpers.KEY.number: helpers.KEY}))
        except CodeRefused:
            refused += 1
    return found, refused


def read_in_corner(scan: Scan, corner: int) -> bool:
    return corner in {code.corner for code in read(scan.image)[0]}


@pytest.mark.parametrize("draw", [*scanner.FAMILIES, scanner.mixed, scanner.office])
def test_the_same_generator_gives_the_same_recipe(draw: object) -> None:
    assert callable(draw)
    assert draw(chance(7)) == draw(chance(7))


@pytest.mark.parametrize("mode", ["grey", "bitonal", "phone"])
def test_the_same_generator_gives_the_same_image(mode: str) -> None:
    damages = tuple(Damage(what, 1, "blue") for what in scanning_paper.DAMAGES)
    recipe = Recipe("all", dpi=100, mode=mode, skew=1.5, blur=0.5, damages=damages, copies=1)
    first, again, other = (scanned(recipe, seed=seed, marks=5) for seed in (3, 3, 4))
    assert first.image.tobytes() == again.image.tobytes()
    assert first.image.tobytes() != other.image.tobytes()


def test_sides_are_those_that_the_press_bound() -> None:
    assert [(paper.side, paper.sides) for paper in papers()] == [(1, 3), (2, 3), (3, 3)]
    for paper in papers():
        number = bytes.fromhex(paper.document)
        wanted = {PageCode(number, paper.side, 3, corner) for corner in paper.codes}
        assert read(scanned(CLEAN, paper).image) == (wanted, 0)


@pytest.mark.parametrize(
    "recipe",
    [
        replace(CLEAN, dpi=100),
        replace(CLEAN, dpi=300, mode="colour"),
        replace(CLEAN, mode="bitonal"),
        replace(CLEAN, skew=4.0),
        replace(CLEAN, copies=3),
        replace(CLEAN, black=120, white=190),
        Recipe("phone", dpi=150, mode="phone", blur=0.5),
    ],
    ids=lambda recipe: f"{recipe.mode} {recipe.dpi} {recipe.skew} {recipe.copies}",
)
def test_both_codes_read_after_mild_treatment(recipe: Recipe) -> None:
    assert {code.corner for code in read(scanned(recipe).image)[0]} == {0, 1}


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
@pytest.mark.parametrize(("mode", "orientation"), [("grey", 1), ("phone", 1), ("phone", 6)])
def test_the_truth_tells_how_to_turn_an_image_upright(
    turn: int, mode: str, orientation: int
) -> None:
    recipe = Recipe("turned", dpi=120, mode=mode, turn=turn, orientation=orientation, tilt=0.01)
    scan = scanned(recipe)
    upright = scan.image.rotate(-scan.truth.rotation, expand=True)
    assert upright.height > upright.width
    symbols = zxingcpp.read_barcodes(np.asarray(upright.convert("L")))
    for symbol in symbols:
        assert symbol.position.top_left.y < symbol.position.bottom_left.y
        assert symbol.position.top_left.x < symbol.position.top_right.x
    assert len(symbols) == 2


def test_a_phone_turns_its_picture_by_exif_alone(tmp_path: Path) -> None:
    scan = scanned(Recipe("phone", dpi=100, mode="phone", orientation=6))
    scanning_files.write_jpeg(tmp_path / "photo.jpg", scan)
    with Image.open(tmp_path / "photo.jpg") as photo:
        assert photo.getexif()[scanning_files.ORIENTATION] == 6
        assert photo.size == scan.image.size
    assert scan.image.width > scan.image.height


@pytest.mark.parametrize("what", ["stamp", "pen", "stroke", "torn", "fold"])
def test_damage_falls_on_its_code_and_spares_the_other(what: str) -> None:
    lost = 0
    for seed in range(6):
        damages = (Damage(what, seed % 2, "black"),)
        scan = scanned(replace(CLEAN, damages=damages), seed=seed)
        assert scan.truth.done == (what,)
        assert read_in_corner(scan, 1 - seed % 2)
        lost += not read_in_corner(scan, seed % 2)
    assert lost >= 1


@pytest.mark.parametrize("ink", ["black", "blue", "red", "violet"])
def test_a_stamp_covers_the_code_with_its_ink(ink: str) -> None:
    paper = papers()[0]
    x, y, size = paper.codes[0]
    left, top = (round(mm * 150 / 25.4) for mm in paper.place(x, y + size))
    side = round(size * 150 / 72)
    clean = paper.at(150)
    stamped = scanning_paper.stamp(clean, 150, paper.centre(0), chance(), ink)
    box = np.s_[top : top + side, left : left + side]
    assert (stamped <= clean).all()
    assert (stamped[box] < clean[box]).mean() > 0.05
    assert (stamped != clean).mean() < 0.05


def test_ink_keeps_its_colour_in_colour_scans() -> None:
    scan = scanned(replace(CLEAN, mode="colour", damages=(Damage("pen", 0, "blue"),)))
    red, _, blue = np.asarray(scan.image, np.int16).transpose(2, 0, 1)
    assert (blue - red > 40).sum() > 500
    assert (np.asarray(scan.image)[600:1100, 200:700].std(axis=2) == 0).all()


@pytest.mark.parametrize("edge", ["top", "right", "bottom", "left"])
@pytest.mark.parametrize("shrunk", [True, False])
def test_a_feeder_cuts_the_edge_it_is_told(edge: str, shrunk: bool) -> None:
    pixels = np.full((400, 300), 200, np.uint8)
    band = {
        "top": np.s_[:40],
        "bottom": np.s_[-40:],
        "left": np.s_[:, :40],
        "right": np.s_[:, -40:],
    }
    pixels[band[edge]] = 0
    left = scanning_glass.cut(pixels, edge, 254, 4.0, shrunk=shrunk)
    assert (left > 0).all()
    short = (360, 300) if edge in ("top", "bottom") else (400, 260)
    assert left.shape == (short if shrunk else (400, 300))


def test_what_is_behind_shines_through_mirrored() -> None:
    front = papers()[1]
    back = scanning_strangers.blank_back()
    scan = scanned(replace(CLEAN, through=40.0, noise=0), back, behind=front)
    levels = np.asarray(scan.image)
    assert scan.truth.kind == "blank"
    assert levels.min() >= scanner.Recipe("x").white - 41
    assert read(Image.fromarray(levels[:, ::-1]))[0] == read(scan.image)[0] != set()


def test_only_the_zones_named_are_signed() -> None:
    paper = next(paper for paper in papers() if paper.zones)
    zone, *others = paper.zones
    clean = paper.at(150)
    signed = scanned(replace(CLEAN, noise=0, black=0, white=255), paper, signed=[zone.name])
    assert signed.truth.signed == (zone.name,)
    changed = np.asarray(signed.image) != clean
    assert changed[_zone(paper, zone)].sum() > 30
    assert not any(changed[_zone(paper, other)].any() for other in others)


def _zone(paper: Paper, zone: object) -> tuple[slice, slice]:
    left, top = paper.place(zone.x, zone.y + zone.height)  # type: ignore[attr-defined]
    right, bottom = paper.place(zone.x + zone.width, zone.y)  # type: ignore[attr-defined]
    top, bottom, left, right = (round(mm * 150 / 25.4) for mm in (top, bottom, left, right))
    return np.s_[top:bottom], np.s_[left:right]


def test_strangers_have_no_code_of_ours() -> None:
    made = helpers.job(helpers.people(1))
    paper, symbols = papers()[0], made.run.symbols
    foreign = scanning_strangers.recoded(paper, OTHER, symbols, chance())
    edited = scanning_strangers.recoded(paper, helpers.KEY, symbols, chance(), edited=True)
    own = scanning_strangers.recoded(paper, helpers.KEY, symbols, chance())
    assert [read(scanned(CLEAN, each).image) for each in (foreign, edited)] == [(set(), 2)] * 2
    assert read(scanned(CLEAN, own).image) == read(scanned(CLEAN).image)
    note, letter = scanning_strangers.delivery_note(chance()), scanning_strangers.letter(chance())
    assert read(scanned(CLEAN, note).image) == (set(), 2)
    assert read(scanned(CLEAN, letter).image) == (set(), 0)


def test_a_written_back_has_a_line_and_a_blank_one_nothing() -> None:
    blank = scanned(replace(CLEAN, noise=0), scanning_strangers.blank_back())
    line = scanned(replace(CLEAN, noise=0), scanning_strangers.written_back(chance()))
    assert np.unique(np.asarray(blank.image)).size == 1
    rows, _ = np.nonzero(np.asarray(line.image) < 150)
    assert 5 < (rows.max() - rows.min()) * 25.4 / 150 + 5 < 20


def test_the_mixed_population_has_the_shares_of_the_reference() -> None:
    recipes = [scanner.mixed(chance(seed)) for seed in range(2000)]
    modes = [recipe.mode for recipe in recipes]
    assert abs(modes.count("bitonal") / 2000 - 0.25) < 0.03
    assert abs(modes.count("phone") / 2000 - 0.125) < 0.03
    assert abs(sum(recipe.cut is not None for recipe in recipes) / 2000 - 0.028) < 0.015
    shares = {("stamp", 0): 0.05, ("stamp", 1): 0.08, ("pen", 0): 0.04, ("pen", 1): 0.06}
    for (what, corner), share in shares.items():
        hit = [any(d[:2] == (what, corner) for d in recipe.damages) for recipe in recipes]
        assert abs(sum(hit) / 2000 - share) < 0.02


def _pile(mode: str) -> Iterator[Scan]:
    for number, paper in enumerate(papers()):
        yield scanned(Recipe("pile", dpi=100, mode=mode, turn=90 * number), paper, seed=number)


@pytest.mark.parametrize("lossless", [False, True])
@pytest.mark.parametrize("mode", ["grey", "colour", "bitonal"])
def test_a_pdf_of_scans_shows_its_images(mode: str, lossless: bool, tmp_path: Path) -> None:
    content = BytesIO()
    assert scanning_files.write_pdf(content, _pile(mode), lossless=lossless) == 3
    helpers.qpdf_check(content.getvalue(), tmp_path)
    document = pypdfium2.PdfDocument(content.getvalue())
    try:
        for page, scan in zip(document, _pile(mode), strict=True):
            shown = page.render(scale=100 / 72, grayscale=True).to_pil().convert("L")
            wanted = scan.image.convert("L").resize(shown.size)
            assert np.abs(np.asarray(shown, float) - np.asarray(wanted)).mean() < 4
    finally:
        document.close()


@pytest.mark.parametrize("compression", ["group4", "tiff_lzw", "jpeg"])
def test_a_tiff_of_scans_shows_its_images(compression: str, tmp_path: Path) -> None:
    path = tmp_path / "pile.tif"
    assert scanning_files.write_tiff(path, _pile("grey"), compression) == 3
    with Image.open(path) as tiff:
        assert tiff.n_frames == 3  # type: ignore[attr-defined]
        for number, scan in enumerate(_pile("grey")):
            tiff.seek(number)
            assert tiff.info["compression"] == compression
            assert tiff.info["dpi"] == (100, 100)
            assert tiff.size == scan.image.size
            assert len(read(tiff)[0]) == 2


def test_a_png_keeps_every_level(tmp_path: Path) -> None:
    scan = scanned(CLEAN)
    scanning_files.write_png(tmp_path / "side.png", scan)
    with Image.open(tmp_path / "side.png") as opened:
        assert opened.tobytes() == scan.image.tobytes()


@pytest.mark.parametrize(("orientation", "turn"), [(1, 0), (6, 90), (3, 180), (8, 270)])
def test_a_heic_shows_its_photograph_upright(orientation: int, turn: int, tmp_path: Path) -> None:
    recipe = Recipe("phone", dpi=100, mode="phone", orientation=orientation)
    scan = scanned(recipe, scanning_strangers.blank_back())
    scanning_heic.write_heic(tmp_path / "photo.heic", scan)
    opened = pi_heif.open_heif(tmp_path / "photo.heic").to_pillow()
    width, height = (length // 2 * 2 for length in scan.image.size)
    wanted = scan.image.crop((0, 0, width, height)).rotate(-turn, expand=True)
    assert opened.size == wanted.size
    off = np.abs(np.asarray(opened, np.int16) - np.asarray(wanted))
    assert off.mean() < 2  # colours are kept for four samples together


def _reading(verdict: str, document: str, rotation: int = 0) -> Reading:
    place = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))
    seen = Seen(document=document, side=1, sides=3, corner=0, quad=place)
    told = {"verdict": verdict, "codes": (seen,), "rotation": rotation}
    return Reading(index=0, width=1, height=1, dpi=200.0, **told)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "reading", "counts"),
    [
        ("known", _reading("coded", "aa"), (1, 0, 0)),
        ("known", _reading("coded", "aa", rotation=90), (1, 0, 1)),
        ("known", _reading("coded", "bb"), (0, 1, 0)),
        ("known", _reading("inconsistent", "aa"), (0, 0, 0)),
        ("foreign", _reading("coded", "aa"), (0, 1, 0)),
        ("blank", _reading("inconsistent", "bb"), (0, 0, 0)),
    ],
)
def test_the_bench_counts_what_is_right_false_and_turned_wrong(
    kind: str, reading: Reading, counts: tuple[int, int, int]
) -> None:
    tally = Tally()
    truth = Truth(kind, "aa", 1, 3, 0, 0.0, 200, "family", (), ())
    judge(tally, truth, reading, 0)
    assert (tally.right, tally.false, tally.turned_wrong) == counts
    assert (tally.told == []) is (counts == (1, 0, 0))


def test_the_bench_says_by_how_much_a_goal_is_missed() -> None:
    missed = Target("recognised", "at least", 99.8, "%", 99.3)
    assert scan_report.verdict(missed) == "falls short by 0.5 %"
    assert scan_report.verdict(replace(missed, measured=99.8)) == "met"
    assert scan_report.verdict(replace(missed, measured=None)) == "not measured"


def test_the_bench_has_every_goal_of_the_return() -> None:
    findings = scan_report.Findings(scan_report.Plan())
    assert [each.measured for each in scan_report.targets(findings)] == [None] * 11
    findings.sides = {"mixed": Tally(5, 4, 1), "backs with a line": Tally(2)}
    findings.sides["backs with a line"].verdicts["blank"] = 2
    told = {each.what: each.measured for each in scan_report.targets(findings)}
    assert told["mixed population recognised"] == 80
    assert told["sides taken for another"] == 1
    assert told["backs with ink called blank"] == 2


def test_what_the_scan_bench_counted_can_be_written_as_json() -> None:
    tally = Tally()
    tally.verdicts["coded"] = 2
    zones = {scan_report.EMPTY: tally, scan_report.SIGNED: tally}
    findings = scan_report.Findings(scan_report.Plan(), zones=zones)
    told = json.loads(json.dumps(scan_report.as_json(findings)))
    assert told["zones"][scan_report.EMPTY]["verdicts"] == {"coded": 2}
    assert told["targets"]
