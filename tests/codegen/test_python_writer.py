"""Text of contracts in generated source is text, whatever it holds."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codegen.targets.python.writer import docstring, printable, text

tricky = st.text(alphabet=st.sampled_from("a \"'\\\n\t{}#-*1.`|"), max_size=60) | st.text(max_size=60)


@given(tricky)
def test_a_docstring_is_one_literal_with_the_words_of_the_contract(value: str) -> None:
    module = ast.parse(f"def f():\n    {docstring(value)}\n")
    (function,) = module.body
    assert isinstance(function, ast.FunctionDef) and len(function.body) == 1
    assert (ast.get_docstring(function, clean=False) or "").split() == printable(value).split()


@given(tricky)
def test_a_text_literal_evaluates_to_the_text(value: str) -> None:
    assert ast.literal_eval(text(value)) == value


def test_lines_a_little_too_long_are_reflowed_as_paragraphs() -> None:
    lines = ["word " * 20 + "end", "word " * 20 + "end"]
    assert [len(line) > 60 for line in docstring("\n".join(lines)).split("\n")] == [True, True, False, False]


@pytest.mark.parametrize("kept", ["| a | b |", "```\n" + "x" * 160 + "\n```", "# " + "heading " * 15 + "end"])
def test_tables_code_and_headings_keep_their_lines(kept: str) -> None:
    assert kept in ast.literal_eval(docstring(f"before\n\n{kept}\n\nafter"))
