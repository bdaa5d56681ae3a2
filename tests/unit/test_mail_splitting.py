"""A signed file in parts: each opens by itself, none is too large, and they bind back to it."""

import random
import re
import subprocess
from collections.abc import Callable, Sequence
from contextlib import nullcontext, suppress
from dataclasses import replace
from hashlib import sha256
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from pypdf import PdfReader, PdfWriter
from pypdf.annotations import FreeText, Link
from pypdf.generic import DictionaryObject, NameObject, StreamObject

from docgen.errors import InvalidInput
from docgen.mailing.splitting import LARGE, ROOM, join, split
from docgen.scanning.merging import SideSource, bind
from tests.clean_copies import fax, flate, jpeg, write_copy
from tests.helpers import qpdf_check, refusal
from tests.unit.test_merging import FACTS, STRAIGHT

DPI = 20
MAKERS = (jpeg, flate, lambda image: jpeg(image, "RGB"), fax)
SIDES = 6
MOST = 90_000  # bytes: about two of the sides below
Change = Callable[[Path], Path]


def noise(seed: int, width: int = 165, height: int = 234) -> Image.Image:
    """Draw a picture that nothing compresses, the same for the same seed."""
    return Image.frombytes("L", (width, height), _letters(seed).randbytes(width * height))


def _letters(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 - no secret, the same each time


def signed(folder: Path, sides: int = SIDES, shift: int = 0) -> Path:
    """Bind a signed file of so many sides, as the service does."""
    stored = [(MAKERS[n % len(MAKERS)](noise(n + shift)), DPI) for n in range(sides)]
    copy = write_copy(folder / "copy.pdf", stored)
    sources = [SideSource(n + 1, copy, n, STRAIGHT) for n in range(sides)]
    facts = replace(FACTS, title="Attestation", sides=sides, needed=tuple(range(1, sides + 1)))
    path = folder / f"signed-{sides}-{shift}.pdf"
    with path.open("wb") as stream:
        bind(sources, facts, None, stream)
    return path


def parts_of(path: Path, most: int = MOST, name: str = "parts") -> list[Path]:
    folder = path.parent / name
    folder.mkdir()
    return split(path, most, folder)


def drawn(path: Path, folder: Path) -> list[bytes]:
    """Draw the pages of a file with poppler, in order."""
    folder.mkdir()
    command = ["pdftoppm", "-r", "40", path, folder / "page"]
    done = subprocess.run(command, check=True, capture_output=True)
    assert done.stderr == b""
    return [each.read_bytes() for each in sorted(folder.iterdir())]


def with_qpdf(*options: str) -> Change:
    """Give what qpdf makes of a file."""

    def changed(path: Path) -> Path:
        target = path.with_name(f"changed-{path.name}")
        subprocess.run(["qpdf", *options, path, target], check=True)
        return target

    return changed


def updated(path: Path) -> Path:
    """Write a change of a file after its end, as who signs or annotates it does."""
    writer = PdfWriter(path, incremental=True)
    writer.metadata = {"/Title": "Attestation, revue"}
    target = path.with_name("updated.pdf")
    writer.write(target)
    return target


def annotated(path: Path) -> Path:
    """Give a file whose pages lead to one another, and bear a note."""
    writer = PdfWriter(clone_from=path)
    for page in range(SIDES):
        link = Link(rect=(0, 0, 90, 90), target_page_index=SIDES - 1 - page)
        writer.add_annotation(page, link)
        writer.add_annotation(page, FreeText(text="Vu", rect=(9, 9, 99, 99)))
    target = path.with_name("annotated.pdf")
    writer.write(target)
    return target


def sharing(path: Path) -> Path:
    """Give a file whose pages all show the same large image besides their own."""
    writer = PdfWriter(clone_from=path)
    images = [page["/Resources"]["/XObject"] for page in writer.pages]
    for each in images[1:]:
        each[NameObject("/Shared")] = images[0].raw_get("/I")
    for page in writer.pages[1:]:
        content = StreamObject()
        content.set_data(page.get_contents().get_data() + b" q 40 0 0 40 9 9 cm /Shared Do Q")
        page[NameObject("/Contents")] = writer._add_object(content)
    target = path.with_name("sharing.pdf")
    writer.write(target)
    return target


def prefixed(path: Path) -> Path:
    """Give a file that begins with what is no PDF, as some scanners send it."""
    target = path.with_name("prefixed.pdf")
    target.write_bytes(b"\r\n\r\n" + path.read_bytes())
    return target


FILES: dict[str, Change] = {
    "as bound": lambda path: path,
    "object streams": with_qpdf("--object-streams=generate"),
    "linearized": with_qpdf("--linearize"),
    "uncompressed": with_qpdf("--qdf", "--stream-data=preserve"),
    "updated": updated,
    "annotated": annotated,
    "sharing": sharing,
    "prefixed": prefixed,
}


@pytest.mark.parametrize("name", FILES)
def test_parts_show_the_pages_of_the_file_and_bind_back_to_its_bytes(
    tmp_path: Path, name: str
) -> None:
    whole = FILES[name](signed(tmp_path))
    parts = parts_of(whole)
    assert len(parts) > 2
    assert [each.name for each in parts] == [f"{n + 1}.pdf" for n in range(len(parts))]
    assert all(each.stat().st_size <= MOST for each in parts)
    pictures = []
    for part in parts:
        qpdf_check(part.read_bytes(), tmp_path)
        pictures += drawn(part, tmp_path / f"drawn-{part.stem}")
    assert pictures == drawn(whole, tmp_path / "drawn-whole")
    assert join(parts, tmp_path / "joined.pdf") == sha256(whole.read_bytes()).hexdigest()
    assert (tmp_path / "joined.pdf").read_bytes() == whole.read_bytes()


def test_pages_weigh_what_they_have_and_little_more(tmp_path: Path) -> None:
    whole = signed(tmp_path)
    parts = parts_of(whole)
    together = sum(each.stat().st_size for each in parts)
    assert together - whole.stat().st_size < len(parts) * ROOM


def test_what_pages_share_is_in_each_part_once(tmp_path: Path) -> None:
    whole = sharing(signed(tmp_path))
    image = PdfReader(whole).pages[0]["/Resources"]["/XObject"]["/I"]._data
    for part in parts_of(whole):
        assert part.read_bytes().count(image) == 1


def test_links_do_not_bring_the_pages_that_they_lead_to(tmp_path: Path) -> None:
    whole = annotated(signed(tmp_path))
    for part in parts_of(whole):
        reader = PdfReader(part, strict=True)
        kinds = [note.get_object()["/Subtype"] for page in reader.pages for note in page["/Annots"]]
        assert kinds == ["/FreeText"] * len(reader.pages)
        images = re.findall(rb"/Subtype\s*/Image", part.read_bytes())
        assert len(images) == len(reader.pages)


def test_a_part_says_which_it_is_and_names_its_pages_as_the_file_does(tmp_path: Path) -> None:
    parts = [PdfReader(each, strict=True) for each in parts_of(signed(tmp_path))]
    total = len(parts)
    titles = [f"Attestation (partie {n} sur {total})" for n in range(1, total + 1)]
    assert [each.metadata.title for each in parts] == titles
    labels = [label for each in parts for label in each.page_labels]
    assert labels == [f"CE-7K3F-92QD/{n}" for n in range(1, SIDES + 1)]


def test_the_same_file_gives_the_same_parts(tmp_path: Path) -> None:
    whole = signed(tmp_path)
    first, second = (parts_of(whole, name=name) for name in ("first", "second"))
    assert [each.read_bytes() for each in first] == [each.read_bytes() for each in second]
    identities = {bytes(PdfReader(each).trailer["/ID"][0].original_bytes) for each in first}
    assert len(identities) == len(first)


def test_a_file_that_is_small_enough_stays_as_it_is(tmp_path: Path) -> None:
    whole = signed(tmp_path)
    size = whole.stat().st_size
    assert parts_of(whole, size) == [whole]
    assert len(parts_of(whole, size - 1, "smaller")) == 2


def test_pages_that_are_too_large_alone_are_all_told(tmp_path: Path) -> None:
    stored = [(flate(noise(n, 165, 40 if n % 2 else 234)), DPI) for n in range(4)]
    whole = write_copy(tmp_path / "copy.pdf", stored)
    told = refusal(lambda: parts_of(whole, 30_000), InvalidInput)
    assert [each.where for each in told] == ["page\u00a01", "page\u00a03"]
    assert list((tmp_path / "parts").iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"no PDF at all" * 200, b"%PDF-1.7\n%%EOF\n" * 99])
def test_what_is_no_pdf_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "given.pdf"
    path.write_bytes(content + b" " * 100)
    (told,) = refusal(lambda: parts_of(path, 99), InvalidInput)
    assert told.what == "ce n’est pas un PDF qui s’ouvre."


def test_a_file_under_a_password_is_refused(tmp_path: Path) -> None:
    locked = with_qpdf("--encrypt", "", "owner", "256", "--")(signed(tmp_path))
    (told,) = refusal(lambda: parts_of(locked), InvalidInput)
    assert told.what == "ce PDF est protégé par un mot de passe."


def test_parts_bind_in_any_order_and_given_twice(tmp_path: Path) -> None:
    whole = signed(tmp_path)
    parts = parts_of(whole)
    again = [*reversed(parts), *parts]
    join(again, tmp_path / "joined.pdf")
    assert (tmp_path / "joined.pdf").read_bytes() == whole.read_bytes()


@pytest.mark.parametrize(
    ("kept", "told"),
    [
        ((0, 2), "il manque la partie 2 sur {n}."),
        ((1,), "il manque les parties 1 et 3 sur {n}."),
        ((), "aucune partie n’est donnée."),
    ],
)
def test_what_is_missing_is_told_and_nothing_written(
    tmp_path: Path, kept: Sequence[int], told: str
) -> None:
    parts = parts_of(signed(tmp_path, 3), 46_000)
    assert len(parts) == 3
    target = tmp_path / "joined.pdf"
    (problem,) = refusal(lambda: join([parts[n] for n in kept], target), InvalidInput)
    assert problem.what == told.format(n=len(parts))
    assert not target.exists()


def test_parts_of_another_file_and_files_that_are_no_part_are_all_told(tmp_path: Path) -> None:
    mine = parts_of(signed(tmp_path))
    other = parts_of(signed(tmp_path, shift=100), name="other")
    stray = other[0].rename(tmp_path / "stray.pdf")
    plain = signed(tmp_path, 1)
    nothing = tmp_path / "nothing.pdf"
    nothing.write_bytes(b"nothing")
    given = [stray, plain, *mine[1:], nothing]
    told = refusal(lambda: join(given, tmp_path / "joined.pdf"), InvalidInput)
    assert [(each.where, each.what) for each in told] == [
        ("signed-1-0.pdf", "ce n’est pas une partie d’un envoi."),
        ("nothing.pdf", "ce n’est pas un PDF qui s’ouvre."),
        ("stray.pdf", "cette partie est celle d’un autre fichier."),
        ("", f"il manque la partie 1 sur {len(mine)}."),
    ]


def test_a_part_of_another_splitting_of_the_file_is_foreign(tmp_path: Path) -> None:
    whole = signed(tmp_path)
    mine, larger = parts_of(whole), parts_of(whole, 2 * MOST, "larger")
    stray = larger[0].rename(tmp_path / "stray.pdf")
    told = refusal(lambda: join([*mine, stray], tmp_path / "joined.pdf"), InvalidInput)
    assert [each.where for each in told] == ["stray.pdf"]


def test_a_part_that_was_changed_is_named(tmp_path: Path) -> None:
    parts = parts_of(signed(tmp_path))
    reader = PdfReader(parts[1])
    image = reader.pages[0]["/Resources"]["/XObject"]["/I"]._data
    content = bytearray(parts[1].read_bytes())
    content[content.index(image) + len(image) // 2] ^= 1
    parts[1].write_bytes(content)
    told = refusal(lambda: join(parts, tmp_path / "joined.pdf"), InvalidInput)
    assert [(each.where, each.what) for each in told] == [
        ("2.pdf", "cette partie a été modifiée depuis son envoi."),
        ("", f"il manque la partie 2 sur {len(parts)}."),
    ]


def test_a_part_whose_share_of_the_rest_was_changed_is_named(tmp_path: Path) -> None:
    parts = parts_of(signed(tmp_path))
    content = parts[0].read_bytes()
    label = content.index(b'{"format":1')
    place = content.index(b"}\n", label) + 10
    parts[0].write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
    told = refusal(lambda: join(parts, tmp_path / "joined.pdf"), InvalidInput)
    assert told[0].where == "1.pdf"


def test_parts_that_say_they_are_of_another_whole_bind_to_nothing(tmp_path: Path) -> None:
    whole = signed(tmp_path)
    digest = sha256(whole.read_bytes()).hexdigest().encode()
    parts = parts_of(whole)
    for part in parts:
        part.write_bytes(part.read_bytes().replace(digest, b"0" * 64))
    (told,) = refusal(lambda: join(parts, tmp_path / "joined.pdf"), InvalidInput)
    assert "ne redonnent pas le fichier" in told.what
    assert not (tmp_path / "joined.pdf").exists()


def test_a_part_that_another_program_saved_without_touching_images_still_binds(
    tmp_path: Path,
) -> None:
    whole = signed(tmp_path)
    parts = parts_of(whole)
    saved = with_qpdf("--stream-data=preserve", "--linearize")(parts[0])
    join([saved, *parts[1:]], tmp_path / "joined.pdf")
    assert (tmp_path / "joined.pdf").read_bytes() == whole.read_bytes()


def pages(own: Sequence[int], shared: int, more: int) -> bytes:
    """Write a PDF whose pages have streams of those lengths, one that all share, and one unused."""
    writer = PdfWriter()
    letters = _letters(1)
    common = writer._add_object(_form(letters.randbytes(shared)))
    for length in own:
        page = writer.add_blank_page(100, 100)
        forms = {"/Own": writer._add_object(_form(letters.randbytes(length))), "/Common": common}
        named = DictionaryObject({NameObject(key): each for key, each in forms.items()})
        page[NameObject("/Resources")] = DictionaryObject({NameObject("/XObject"): named})
    writer.root_object[NameObject("/Unused")] = writer._add_object(_form(letters.randbytes(more)))
    content = BytesIO()
    writer.write(content)
    return content.getvalue()


def _form(data: bytes) -> StreamObject:
    form = StreamObject()
    form._data = data
    return form


def test_what_is_no_page_finds_room_in_parts_of_fewer_pages(tmp_path: Path) -> None:
    whole = tmp_path / "whole.pdf"
    for more, count in ((0, 3), (9000, 4)):
        whole.write_bytes(pages([5000] * 8, 0, more))
        parts = parts_of(whole, 24_000, f"parts-{more}")
        assert len(parts) == count
        fits(parts, 24_000, 8)
        join(parts, tmp_path / "joined.pdf")
        assert (tmp_path / "joined.pdf").read_bytes() == whole.read_bytes()


def test_what_is_no_page_and_has_no_room_is_told_with_the_heaviest_page(tmp_path: Path) -> None:
    whole = tmp_path / "whole.pdf"
    whole.write_bytes(pages([19_000, 20_000, 19_500], 0, 30_000))
    (told,) = refusal(lambda: parts_of(whole, 26_000), InvalidInput)
    assert told.where == "page\u00a02"


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None
)
@given(
    own=st.lists(st.integers(0, 30_000), min_size=1, max_size=12),
    shared=st.integers(0, 10_000),
    more=st.integers(0, 9000),
    most=st.integers(8000, 60_000),
)
def test_whatever_the_pages_and_the_limit_parts_fit_and_bind_back(
    tmp_path_factory: pytest.TempPathFactory, own: list[int], shared: int, more: int, most: int
) -> None:
    folder = tmp_path_factory.mktemp("split")
    whole = folder / "whole.pdf"
    whole.write_bytes(pages(own, shared, more))
    # Refused only where a page, and what is no page, leave no room in a part.
    is_tight = max(own) + shared + ROOM + more + 2 * LARGE > most - ROOM
    with suppress(InvalidInput) if is_tight else nullcontext():
        parts = parts_of(whole, most)
        fits(parts, most, len(own))
        _letters(2).shuffle(parts)
        if parts != [whole]:
            assert join(parts, folder / "joined.pdf") == sha256(whole.read_bytes()).hexdigest()
            assert (folder / "joined.pdf").read_bytes() == whole.read_bytes()


def fits(parts: Sequence[Path], most: int, pages: int) -> None:
    """Check that no part is too large, and that pages are each in one."""
    assert all(each.stat().st_size <= most for each in parts)
    assert sum(len(PdfReader(each).pages) for each in parts) == pages
