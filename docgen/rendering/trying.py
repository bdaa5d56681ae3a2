"""A stranger's template, checked in a child process: memory, time and files have limits.

A body is a program, and a style sheet asks for files: whoever sends one is not trusted with ours.
"""

import resource
import subprocess
import sys
from pathlib import Path

import msgspec

from docgen.errors import DocgenError, Problem
from docgen.library import Template
from docgen.manifest import read_manifest
from docgen.rendering.checking import check_template

MEMORY = 1536 * 2**20
PROCESSOR = 90  # seconds; the longest of ours, three layouts of five pages, takes 12
LARGEST = 64 * 2**20  # bytes of a file written
COSTLY = Problem(
    "ce modèle demande trop de temps ou de mémoire.",
    "",
    "Allégez ses images, et ce qui s’y répète.",
)
Told = tuple[str, str, str]


def problems_of(folder: Path) -> list[Problem]:
    """Check the template of a folder; give all that does not hold.

    Its manifest is read there too: nothing of the folder is opened by who asks.
    """
    command = [sys.executable, "-I", "-m", __name__, str(folder.resolve())]
    try:
        child = subprocess.run(  # noqa: S603 - our own interpreter, our own module
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=PROCESSOR * 2,
            env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"},
            cwd="/",
            check=False,
        )
        told = msgspec.msgpack.decode(child.stdout, type=list[Told])
    except (subprocess.TimeoutExpired, msgspec.DecodeError):
        return [COSTLY]
    return [Problem(*each) for each in told]


def _limit() -> None:
    for what, most in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CPU, PROCESSOR),
        (resource.RLIMIT_FSIZE, LARGEST),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 256),
    ):
        resource.setrlimit(what, (most, most))


def _found(folder: Path) -> list[Problem]:
    try:
        template = Template(folder, read_manifest(folder / "manifest.toml"))
        return check_template(template)
    except DocgenError as error:
        return list(error.problems)
    except (MemoryError, RecursionError):
        return [COSTLY]
    # WeasyPrint's own refusals are no Exception: a file or an address that it may not read.
    except BaseException as error:
        what = f"ce modèle ne se laisse pas mettre en page ({type(error).__name__})."
        return [Problem(what, folder.name, "Repartez d’un modèle fourni.")]


def _main() -> None:
    folder = Path(sys.argv[1])
    _limit()
    # Places of this machine are nobody's business.
    shown = [[str(text).replace(f"{folder}/", "") for text in each] for each in _told(folder)]
    sys.stdout.buffer.write(msgspec.msgpack.encode(shown))


def _told(folder: Path) -> list[Told]:
    return [(each.what, each.where, each.remedy) for each in _found(folder)]


if __name__ == "__main__":
    _main()
