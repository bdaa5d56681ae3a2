"""Compiled forms are kept: read when they are good, made again when they are not."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from docgen.errors import TemplateRejected, Unavailable
from docgen.rendering import cache
from docgen.rendering.cache import load_form
from docgen.rendering.form import Form
from tests.helpers import SHELF, edited, small_charter, with_body

MANIFEST = small_charter().manifest
WHOLE, REDUCED = MANIFEST.layouts


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Form]:
    """Give a folder in which the form of the small template is kept, and the form."""
    folder = tmp_path_factory.mktemp("cache")
    return folder, load_form(small_charter(), WHOLE, folder)


def files(folder: Path) -> list[Path]:
    return sorted((folder / "forms").iterdir())


def without_compiler(patch: pytest.MonkeyPatch) -> None:
    """Make any compile fail."""
    patch.setitem(sys.modules, "docgen.rendering.compiling", None)


def test_a_form_is_kept_under_its_checksum(kept: tuple[Path, Form]) -> None:
    folder, form = kept
    assert [path.name for path in files(folder)] == [f"{form.checksum}.form"]


def test_a_form_that_is_kept_is_read_not_compiled(
    kept: tuple[Path, Form], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, form = kept
    without_compiler(monkeypatch)
    assert load_form(small_charter(), WHOLE, folder) == form


def test_a_reduction_shares_the_form_of_its_base(
    kept: tuple[Path, Form], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, form = kept
    without_compiler(monkeypatch)
    assert load_form(small_charter(), REDUCED, folder) == form


def test_a_reduction_that_comes_first_compiles_its_base(
    kept: tuple[Path, Form], tmp_path: Path
) -> None:
    assert load_form(small_charter(), REDUCED, tmp_path) == kept[1]


def test_nothing_is_compiled_with_a_compiler_that_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So the tests above prove what they say."""
    without_compiler(monkeypatch)
    with pytest.raises(ImportError):
        load_form(small_charter(), WHOLE, tmp_path)


@pytest.mark.parametrize(
    "damage", ["empty", "short", "cut", "turned", "longer", "another", "hollow"]
)
def test_a_damaged_form_is_compiled_again(
    kept: tuple[Path, Form], tmp_path: Path, damage: str
) -> None:
    (good,) = (path.read_bytes() for path in files(kept[0]))
    middle = len(good) // 2
    bad = {
        "empty": b"",
        "short": good[:31],
        "cut": good[:-1],
        "turned": good[:middle] + bytes([good[middle] ^ 1]) + good[middle + 1 :],
        "longer": good + b"\0",
        "another": b"not a form",
        "hollow": bytes(len(good)),
    }[damage]
    path = tmp_path / "forms" / f"{kept[1].checksum}.form"
    path.parent.mkdir()
    path.write_bytes(bad)
    assert load_form(small_charter(), WHOLE, tmp_path) == kept[1]
    assert path.read_bytes() == good


def test_a_changed_template_has_another_form(kept: tuple[Path, Form], tmp_path: Path) -> None:
    other = edited(tmp_path, {"style.css": [("16pt", "17pt")]})
    form = load_form(other, other.manifest.layouts[0], kept[0])
    assert form.checksum != kept[1].checksum
    assert form.objects != kept[1].objects
    (kept[0] / "forms" / f"{form.checksum}.form").unlink()


def test_the_programs_that_make_forms_are_part_of_their_name(
    kept: tuple[Path, Form], monkeypatch: pytest.MonkeyPatch
) -> None:
    known = cache.version
    for changed in ("weasyprint", "pydyf", "pypdf", "font-source-sans-pro"):

        def version(name: str, changed: str = changed) -> str:
            return "999" if name == changed else known(name)

        with monkeypatch.context() as patch:
            patch.setattr(cache, "version", version)
            without_compiler(patch)
            with pytest.raises(ImportError):
                load_form(small_charter(), WHOLE, kept[0])


def test_the_style_of_slots_is_part_of_the_name_of_a_form(
    kept: tuple[Path, Form], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(cache.HERE, tmp_path / "rendering")
    with (tmp_path / "rendering" / "slots.css").open("a", encoding="utf-8") as changed:
        changed.write(".slot { width: 50% }")
    monkeypatch.setattr(cache, "HERE", tmp_path / "rendering")
    form = load_form(small_charter(), WHOLE, kept[0])
    assert form.checksum != kept[1].checksum


def test_a_template_at_fault_leaves_nothing(tmp_path: Path) -> None:
    template = with_body(tmp_path, "{{ nothing }}")
    with pytest.raises(TemplateRejected):
        load_form(template, template.manifest.layouts[0], tmp_path / "cache")
    assert not (tmp_path / "cache").exists()


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Unavailable):
        load_form(small_charter(), WHOLE, tmp_path / "file" / "cache")


@pytest.mark.slow
def test_two_processes_at_once_keep_one_good_form(
    kept: tuple[Path, Form], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = (
        "import sys; from pathlib import Path; from docgen import library;"
        "from docgen.rendering.cache import load_form;"
        "made = library.load('petite-charte', Path(sys.argv[1]));"
        "print(load_form(made, made.manifest.layouts[0], Path(sys.argv[2])).checksum)"
    )
    command = [sys.executable, "-c", code, SHELF, tmp_path]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(2)]
    printed = [process.communicate(timeout=20)[0].decode().strip() for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert printed == [kept[1].checksum] * 2
    assert [path.name for path in files(tmp_path)] == [f"{kept[1].checksum}.form"]
    without_compiler(monkeypatch)
    assert load_form(small_charter(), WHOLE, tmp_path) == kept[1]
