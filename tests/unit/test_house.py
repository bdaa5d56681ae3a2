"""The rules of the house: locks, what the tree may name, layers, and a quick command line."""

import re
import socket
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
HEAVY = {"weasyprint", "pypdf", "pypdfium2", "numpy", "openpyxl", "fontTools", "uharfbuzz"}

# Written in two halves, so that this file does not hold what it looks for.
HOSTS = ["pypi" + ".org", "pythonhosted" + ".org", "deb.debian" + ".org", "registry." + "npmjs"]
OPTIONS = ["--index" + "-url", "--extra-index" + "-url", "--trusted" + "-host"]
PLACES = ["/work" + "/main", "/work" + "/shared", "/root" + "/", f"{ROOT}/"]
UNDONE = ["TO" + "DO", "FIX" + "ME"]


def tracked_files() -> list[Path]:
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True)
    paths = [ROOT / name.decode() for name in listing.stdout.split(b"\0") if name]
    return [path for path in paths if path.is_file()]


def locked(lock: Path) -> list[str]:
    """Join each package of a lock with its hashes on one line."""
    text = lock.read_text(encoding="utf-8").replace("\\\n", " ")
    return [
        line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")
    ]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_every_locked_package_has_one_version_and_a_hash(lock: Path) -> None:
    packages = locked(lock)
    assert len(packages) > 20
    pinned = re.compile(r"[a-z0-9._-]+==\S+( ; [^\\]+?)?(\s+--hash=sha256:[0-9a-f]{64})+\s*")
    assert [line for line in packages if not pinned.fullmatch(line)] == []


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_a_lock_names_no_address(lock: Path) -> None:
    text = lock.read_text(encoding="utf-8")
    assert [word for word in ["://", *HOSTS, *OPTIONS] if word in text] == []


def test_what_prints_is_locked_at_the_same_versions_for_tests() -> None:
    run, dev = (
        {line.split(None, 1)[0] for line in locked(ROOT / "requirements" / name)}
        for name in ("run.txt", "dev.txt")
    )
    assert run <= dev


def test_every_dependency_of_the_project_is_locked() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    project = settings["project"]
    to_run = project["dependencies"] + settings["build-system"]["requires"]
    to_develop = to_run + project["optional-dependencies"]["dev"]
    for lock, wanted in (("run.txt", to_run), ("dev.txt", to_develop)):
        names = {line.split("==")[0] for line in locked(ROOT / "requirements" / lock)}
        assert {re.split(r"[^\w.-]", name)[0].lower() for name in wanted} - names == set()


def test_every_dependency_has_its_reason() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    reasons = (ROOT / "docs/decisions/0001-dependencies.md").read_text(encoding="utf-8")
    told = {
        name for row in re.findall(r"^\| ([\w, -]+) \|", reasons, re.M) for name in row.split(", ")
    }
    asked = (*project["dependencies"], *project["optional-dependencies"]["dev"])
    wanted = {re.split(r"[^\w.-]", name)[0] for name in asked}  # without its extras and bounds
    assert wanted - told == set()


def test_links_between_documents_lead_somewhere() -> None:
    broken = [
        f"{page.relative_to(ROOT)}: {link}"
        for page in tracked_files()
        if page.suffix == ".md"
        for link in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8"))
        if not (page.parent / link).exists()
    ]
    assert broken == []


@pytest.mark.parametrize(
    "words", [HOSTS + OPTIONS, PLACES, UNDONE], ids=["hosts", "places", "undone"]
)
def test_no_tracked_file_names_what_it_must_not(words: list[str]) -> None:
    found = []
    for path in tracked_files():
        content = path.read_bytes()
        if b"\0" not in content:  # a picture, a PDF or a spreadsheet holds any letters by chance
            found += [f"{path.relative_to(ROOT)}: {w}" for w in words if w.encode() in content]
    assert found == []


def test_every_module_has_its_layer_and_arrows_point_down() -> None:
    command = [Path(sys.executable).with_name("lint-imports"), "--no-logo", "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Arrows point down KEPT" in done.stdout


def test_help_is_given_without_loading_what_prints() -> None:
    script = (
        "import sys\n"
        "from docgen.cli import main\n"
        "sys.argv = ['docgen', '--help']\n"
        "try:\n    main()\n"
        "except SystemExit as stop:\n    assert not stop.code\n"
        "print('loaded:', *sys.modules)\n"
    )
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    said, _, loaded = done.stdout.rpartition("loaded:")
    assert "Usage" in said
    assert HEAVY & set(loaded.split()) == set()


def test_a_test_cannot_reach_another_machine() -> None:
    with pytest.raises(RuntimeError, match="tests use no network"):
        socket.create_connection(("192.0.2.1", 9), timeout=1)
    with socket.socket() as speaker, pytest.raises(RuntimeError, match="tests use no network"):
        speaker.connect(("192.0.2.1", 9))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        socket.create_connection(listener.getsockname(), timeout=1).close()
