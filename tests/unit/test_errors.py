"""Errors: one tree, one code each, sentences that say where and what to do."""

import errno
import os
import re

import pytest

from docgen import errors
from docgen.errors import DocgenError, Problem, reason

ALL = {
    name: each
    for name, each in vars(errors).items()
    if isinstance(each, type) and issubclass(each, Exception)
}


def test_the_tree_drawn_in_the_docstring_is_the_tree_of_the_classes() -> None:
    lines = re.findall(r"^([│├└─ ]*)([A-Z]\w+)  ", errors.__doc__ or "", re.MULTILINE)
    parents: list[str] = []
    drawn = {}
    for branch, name in lines:
        depth = len(branch) // 4
        parents[depth:] = [name]
        drawn[name] = parents[depth - 1] if depth else "Exception"
    assert drawn == {name: each.__mro__[1].__name__ for name, each in ALL.items()}


def test_every_error_has_a_code_of_its_own() -> None:
    # The three that stand for a family share nothing but their children's exit code.
    codes = [each.code for each in ALL.values()]
    named = {"promise-broken", "invalid-input", "error"}
    assert len(set(codes)) == len(codes)
    assert named < set(codes)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        *[(name, 2) for name in ("InvalidInput", "RosterRejected", "ValuesRejected")],
        *[(name, 2) for name in ("TemplateRejected", "MissingGlyph")],
        *[(name, 3) for name in ("PromiseBroken", "FieldDoesNotFit", "LayoutOverflows")],
        *[(name, 1) for name in ("CodeRefused", "Unavailable", "DocgenError")],
    ],
)
def test_exit_codes_tell_bad_input_from_broken_promises(name: str, expected: int) -> None:
    assert ALL[name].exit_code == expected


@pytest.mark.parametrize(
    ("problem", "expected"),
    [
        (Problem("tout manque."), "tout manque."),
        (Problem("tout manque.", "ligne 2"), "ligne 2 : tout manque."),
        (Problem("tout manque.", "ligne 2", "Donnez."), "ligne 2 : tout manque. Donnez."),
        (Problem("tout manque.", remedy="Donnez."), "tout manque. Donnez."),
    ],
)
def test_a_problem_reads_as_a_sentence(problem: Problem, expected: str) -> None:
    assert str(problem) == expected


def test_an_error_carries_all_its_problems_one_a_line() -> None:
    error = DocgenError(Problem(text) for text in ("un.", "deux."))
    assert error.problems == (Problem("un."), Problem("deux."))
    assert str(error) == "un.\ndeux."


def test_one_sentence_or_one_problem_makes_an_error() -> None:
    assert DocgenError("seul.").problems == (Problem("seul."),)
    assert DocgenError(Problem("seul.", "ici")).problems == (Problem("seul.", "ici"),)


def test_what_the_system_answers_is_told_in_french() -> None:
    for code in (errno.ENOENT, errno.ENOSPC, errno.EACCES, errno.EISDIR):
        told = reason(OSError(code, os.strerror(code)))
        assert told
        assert told not in os.strerror(code)
    assert reason(OSError(errno.ENOSPC, "")) == "le disque est plein"
    assert reason(OSError(errno.ELOOP, "")) == "erreur ELOOP"
    assert reason(OSError("no code")) == "erreur 0"
