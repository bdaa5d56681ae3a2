"""LibreOffice: .docx documents become .doc, .odt or PDF, many at each start.

It is a large program that may read a stranger's text: it is given .docx files only, a profile of
its own thrown away afterwards, no network, a bare environment, and a time after which it is ended
with all that it started.
"""

import os
import shutil
import signal
import subprocess
import tempfile
import time
import zipfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cache
from pathlib import Path
from threading import Event
from typing import Literal, TypeAlias

from docgen.errors import Problem, TemplateRejected, Unavailable

Kind: TypeAlias = Literal["doc", "odt", "pdf"]
PROGRAMS = ("soffice", "libreoffice")
# PDF/UA: tagged, titled, in French, as the law asks of documents put online.
PDF_OPTIONS = """{"PDFUACompliance":{"type":"boolean","value":"true"},\
"ExportBookmarks":{"type":"boolean","value":"true"}}"""
FILTERS: dict[Kind, str] = {
    "doc": "doc:MS Word 97",
    "odt": "odt:writer8",
    "pdf": f"pdf:writer_pdf_Export:{PDF_OPTIONS}",
}
MAGIC: dict[Kind, bytes] = {
    "doc": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
    "odt": b"PK",
    "pdf": b"%PDF-",
}
DOCX = b"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
BATCH = 200  # files at each start
ENOUGH, MOST_AT_ONCE = 8, 4  # files worth a start of their own; programs at once
START, EACH = 60.0, 2.0  # seconds; a start takes 1, a document 0.1
POLL = 0.05  # seconds between two looks at a program that runs
GONE, ENDED = 2.0, ("Z", "X")  # seconds to be gone once killed; states of proc(5)
PROFILE = Path("user/registrymodifications.xcu")
ITEM = """<item oor:path="/org.openoffice.{path}"><prop oor:name="{name}" oor:op="fuse">\
<value>{value}</value></prop></item>"""
SETTINGS = (
    ("Office.Common/Security/Scripting", "DisableMacrosExecution", "true"),
    ("Office.Common/Security/Scripting", "MacroSecurityLevel", "3"),
    ("Office.Common/Security/Scripting", "BlockUntrustedRefererLinks", "true"),
    ("Office.Common/Security/Scripting", "DisableActiveContent", "true"),
    ("Office.Common/Misc", "CrashReport", "false"),
    ("Office.Writer/Content/Update", "Link", "2"),
    ("Office.Writer/Content/Update", "Field", "false"),
    # Where there is no network to be had, proxies that do not exist say so a second time.
    ("Inet/Settings", "ooInetProxyType", "1"),
    ("Inet/Settings", "ooInetHTTPProxyName", "127.0.0.1"),
    ("Inet/Settings", "ooInetHTTPProxyPort", "9"),
    ("Inet/Settings", "ooInetHTTPSProxyName", "127.0.0.1"),
    ("Inet/Settings", "ooInetHTTPSProxyPort", "9"),
)


def program() -> str:
    """Find LibreOffice.

    Raises:
        Unavailable: when this machine has none.
    """
    for name in PROGRAMS:
        if path := shutil.which(name):
            return path
    what = "LibreOffice manque : .doc, .odt et PDF ne peuvent pas être faits."
    remedy = "Installez libreoffice-writer (make setup), ou demandez --format docx."
    raise Unavailable(Problem(what, "", remedy))


def convert(
    files: Sequence[Path], kind: Kind, out: Path, *, seconds: float | None = None
) -> list[Path]:
    """Write each .docx into `out` in another format, under its own name; `seconds` bounds a start.

    Raises:
        Unavailable: when LibreOffice is absent, or did not make a file in time.
        TemplateRejected: for a file that is not a .docx.
    """
    office = program()
    for path in files:
        _sniff(path)
    # As many at once as there are processors: LibreOffice uses one, and waits half of the time.
    workers = max(1, min(os.cpu_count() or 1, MOST_AT_ONCE, len(files) // ENOUGH))
    size = min(BATCH, -(-len(files) // workers)) or 1
    batches = [files[start : start + size] for start in range(0, len(files), size)]
    stop = Event()

    def make(batch: Sequence[Path]) -> list[Path]:
        enough = seconds or START + EACH * len(batch)
        return _batch(batch, kind, out, lambda left: _start(office, left, kind, out, enough, stop))

    with ThreadPoolExecutor(workers) as pool:
        done = [pool.submit(make, batch) for batch in batches]
        try:
            return [path for made in done for path in made.result()]
        except BaseException:  # interrupted, or a batch is lost: what still runs has no use
            stop.set()
            pool.shutdown(cancel_futures=True)
            raise


def _batch(
    files: Sequence[Path], kind: Kind, out: Path, start: Callable[[Sequence[Path]], None]
) -> list[Path]:
    """Convert files in one start; those that did not come out are tried once more."""
    made = {path: out / f"{path.stem}.{kind}" for path in files}
    for _ in range(2):
        left = [path for path, target in made.items() if not _is_sound(target, kind)]
        if not left:
            break
        for path in left:  # what a start that was ended left there would stop the next one
            made[path].unlink(missing_ok=True)
            _lock(made[path]).unlink(missing_ok=True)
        start(left)
    if lost := [path.name for path, target in made.items() if not _is_sound(target, kind)]:
        what = f"LibreOffice n’a pas rendu {len(lost)} document(s) : {', '.join(lost[:5])}."
        raise Unavailable(Problem(what, "", "Recommencez, ou demandez --format docx."))
    return list(made.values())


def _start(  # noqa: PLR0917 - what a start needs
    office: str, files: Sequence[Path], kind: Kind, out: Path, seconds: float, stop: Event
) -> None:
    with tempfile.TemporaryDirectory(prefix="docgen-office-") as folder:
        home = Path(folder)
        settings = home / "profile" / PROFILE
        settings.parent.mkdir(parents=True)
        settings.write_text(_settings(), encoding="utf-8")
        command = [
            *_isolation(),
            office,
            f"-env:UserInstallation={(home / 'profile').as_uri()}",
            *("--headless", "--norestore", "--nologo", "--nodefault", "--nolockcheck"),
            *("--convert-to", FILTERS[kind], "--outdir", str(out.resolve())),
            *(str(path.resolve()) for path in files),
        ]
        _run(command, home, seconds, stop)


def _run(command: list[str], home: Path, seconds: float, stop: Event) -> None:
    """Run a command as the head of a group; end the whole group after its time, or at a stop."""
    if stop.is_set():
        return
    environment = {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": str(home),
        "TMPDIR": str(home),
        "LANG": "C.UTF-8",
        "SAL_USE_VCLPLUGIN": "svp",
    }
    child = subprocess.Popen(  # noqa: S603 - the program found, our own arguments
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=environment,
        cwd=home,
        start_new_session=True,
    )
    try:
        end = time.monotonic() + seconds
        while child.poll() is None and time.monotonic() < end and not stop.wait(POLL):
            pass
    finally:
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        _wait_for_group(child.pid)


def _wait_for_group(group: int) -> None:
    """Wait for what a program had started to be gone: it wrote where we shall tidy up."""
    end = time.monotonic() + GONE
    while _is_alive(group) and time.monotonic() < end:
        time.sleep(POLL / 10)


def _is_alive(group: int) -> bool:
    """Tell whether a process of a group still runs; one that ended may stay for years, unread."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            state, _, own, *_ = path.read_text("latin-1").rpartition(")")[2].split()
            if own == str(group) and state not in ENDED:
                return True
    return False


@cache
def _isolation() -> tuple[str, ...]:
    """Give the command that takes the network away, where this machine permits one."""
    for command in (("unshare", "-n"), ("unshare", "-r", "-n")):
        with suppress(OSError, subprocess.TimeoutExpired):
            tried = subprocess.run(  # noqa: S603
                [*command, "true"], capture_output=True, timeout=10, check=False
            )
            if tried.returncode == 0:
                return command
    return ()


def _settings() -> str:
    items = "".join(ITEM.format(path=p, name=n, value=v) for p, n, v in SETTINGS)
    return (
        '<?xml version="1.0" encoding="UTF-8"?><oor:items'
        ' xmlns:oor="http://openoffice.org/2001/registry"'
        ' xmlns:xs="http://www.w3.org/2001/XMLSchema"'
        f' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">{items}</oor:items>'
    )


def _sniff(path: Path) -> None:
    """Refuse what is not a .docx: LibreOffice opens anything, whatever its name says.

    Raises:
        TemplateRejected: when its bytes say otherwise.
    """
    with suppress(zipfile.BadZipFile, KeyError, OSError, NotImplementedError, RuntimeError):
        with zipfile.ZipFile(path) as archive, archive.open("[Content_Types].xml") as types:
            is_word = DOCX in types.read(2**20)
        with path.open("rb") as stream:
            if is_word and path.suffix == ".docx" and stream.read(4) == b"PK\x03\x04":
                return
    what = "ce fichier n’est pas un document .docx."
    raise TemplateRejected(Problem(what, path.name, "Seul un .docx est confié à LibreOffice."))


def _is_sound(path: Path, kind: Kind) -> bool:
    """Tell whether a file was made whole, and is what it should be."""
    if _lock(path).exists():
        return False
    try:
        with path.open("rb") as stream:
            return stream.read(8).startswith(MAGIC[kind])
    except OSError:
        return False


def _lock(path: Path) -> Path:
    """Give the file that LibreOffice keeps beside one that it writes."""
    return path.with_name(f".~lock.{path.name}#")
