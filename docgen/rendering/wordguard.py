"""A stranger's Word model, worked on in a child process: memory, time and files have limits."""

import errno
import os
import resource
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from docgen.errors import InvalidInput, Problem, TemplateRejected, ValuesRejected
from docgen.manifest import Manifest
from docgen.rendering import wordmerge
from docgen.rendering.wordmodel import Filling, Model, examine

MEMORY = 768 * 2**20
PROCESSOR = 15  # seconds, to read and try a model
PER_DOCUMENT = 0.1  # seconds; a document takes 0.01
LARGEST = 512 * 2**20  # bytes of a file written
COSTLY = Problem(
    "ce modèle demande trop de temps ou de mémoire.",
    "",
    "Repartez du modèle fourni, et retirez ce qui s’y répète.",
)
AGAIN = "Repartez du modèle fourni."


class Work(msgspec.Struct, kw_only=True):
    """What the child is asked: check a model, or fill it for these loans into a folder."""

    model: bytes
    manifest: Manifest
    fillings: list[Filling] = []
    folder: str = ""
    merged: str = ""


class Answer(msgspec.Struct):
    """What the child found: the model's faults, those of the values, or of the disk (errno)."""

    model: list[tuple[str, str, str]] = []
    values: list[tuple[str, str, str]] = []
    disk: int = 0


def check(model: bytes, manifest: Manifest) -> None:
    """Check a stranger's model.

    Raises:
        TemplateRejected: with every reason at once.
    """
    _run(Work(model=model, manifest=manifest))


def fill(
    model: bytes, manifest: Manifest, fillings: Sequence[Filling], folder: Path, merged: str = ""
) -> None:
    """Fill a stranger's model into a folder, one file for each loan or all in one.

    Raises:
        TemplateRejected: with every reason to refuse the model.
        ValuesRejected: with every value that it cannot take.
        OSError: when the folder cannot be written.
    """
    work = Work(
        model=model,
        manifest=manifest,
        fillings=list(fillings),
        folder=str(folder.resolve()),
        merged=merged,
    )
    _run(work)


def make(model: Model, fillings: Sequence[Filling], folder: Path, merged: str = "") -> None:
    """Write the documents of these loans as .docx files, or as one file of that name.

    Raises:
        InvalidInput: with every value refused.
    """
    problems: list[Problem] = []
    documents = []
    for filling in fillings:
        try:
            if merged:
                documents.append({each.name: each for each in model.filled_parts(filling)})
            else:
                (folder / f"{filling.name}.docx").write_bytes(model.fill(filling))
        except ValuesRejected as error:
            problems += error.problems
    if problems:
        raise ValuesRejected(problems)
    if merged:
        (folder / merged).write_bytes(wordmerge.merge(documents))


def _run(work: Work) -> None:
    seconds = PROCESSOR + PER_DOCUMENT * len(work.fillings)
    command = [sys.executable, "-I", "-m", __name__, str(int(seconds)), str(MEMORY)]
    try:
        child = subprocess.run(  # noqa: S603 - our own interpreter, our own module
            command,
            input=msgspec.msgpack.encode(work),
            capture_output=True,
            timeout=seconds * 2,
            env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"},
            cwd="/",
            check=False,
        )
        answer = msgspec.msgpack.decode(child.stdout, type=Answer)
    except (subprocess.TimeoutExpired, msgspec.DecodeError) as error:
        raise TemplateRejected(COSTLY) from error
    if answer.model:
        raise TemplateRejected(Problem(*each) for each in answer.model)
    if answer.values:
        raise ValuesRejected(Problem(*each) for each in answer.values)
    if answer.disk:
        raise OSError(answer.disk, os.strerror(answer.disk))


def _limit(seconds: int, memory: int) -> None:
    for what, most in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_FSIZE, LARGEST),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 64),
    ):
        resource.setrlimit(what, (most, most))


def _answer(work: Work) -> Answer:
    found = examine(work.model, work.manifest)
    if found:
        return Answer(model=[_as_tuple(each) for each in found])
    if not work.fillings:
        return Answer()
    model = Model(work.model, work.manifest)
    try:
        make(model, work.fillings, Path(work.folder), work.merged)
    except TemplateRejected as error:
        return Answer(model=[_as_tuple(each) for each in error.problems])
    except InvalidInput as error:
        return Answer(values=[_as_tuple(each) for each in error.problems])
    return Answer()


def _as_tuple(problem: Problem) -> tuple[str, str, str]:
    return problem.what, problem.where, problem.remedy


def _main() -> None:
    work = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=Work)
    _limit(int(sys.argv[1]), int(sys.argv[2]))
    try:
        answer = _answer(work)
    except (MemoryError, RecursionError):
        answer = Answer(model=[_as_tuple(COSTLY)])
    except OSError as error:
        answer = Answer(disk=error.errno or errno.EIO)
    except Exception as error:  # told by its kind: its text may hold a name
        what = f"ce modèle ne se laisse pas traiter ({type(error).__name__})."
        answer = Answer(model=[(what, "", AGAIN)])
    sys.stdout.buffer.write(msgspec.msgpack.encode(answer))


if __name__ == "__main__":
    _main()
