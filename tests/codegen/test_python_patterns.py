"""ECMA-262 patterns mean the same in Python."""

from __future__ import annotations

import re

import pytest
from pydantic_core import SchemaValidator, core_schema

from codegen.targets.python.patterns import UnsupportedPattern, translate

CASES = [
    (r"^\d+$", ["1", "12"], ["", "1\n", "\u0661", "a"]),
    (r"^[\w.-]+$", ["a.b-c_1"], ["é", "", "a b"]),
    (r"\.", ["a.b"], ["ab"]),
    (r"^a.b$", ["axb", "a\u0085b"], ["a\nb", "a\u2028b"]),
    (r"^\s$", ["\u00a0", "\ufeff", " "], ["\u200b", "a"]),
    (r"^\S+$", ["ab"], ["a b"]),
    (r"^(?=.*\d)(?!.*x).{2,4}$", ["a1", "1abc"], ["ab", "1x", "1abcd"]),
    (r"^(a|b)\1$", ["aa", "bb"], ["ab", "aa\n"]),
    (r"^(?<first>a)\k<first>$", ["aa"], ["a"]),
    (r"^[[&~]+$", ["[&~"], ["a"]),
    (r"^\u0041\x42\cJ$", ["AB\n"], ["AB"]),
    (r"^https?:\/\/", ["http://x", "https://"], ["ftp://"]),
    (r"^a{b$", ["a{b"], ["ab"]),
    (r"^\p{L}+$", ["é", "a"], ["1", ""]),
    (r"\bfoo\b", ["a foo", "éfoo"], ["afoo"]),
    (r"^[^\s@]+@[^\s@]+$", ["a@b"], ["a@", "a b@c"]),
    (r"^.{1,2000}$", ["a"], [""]),
    (r"^[+--]$", ["+", "-", ","], ["*"]),
    (r"^[--0]$", ["-", ".", "0"], ["1"]),
    (r"^[^-a]$", ["b"], ["-", "a"]),
    (r"^\-\_\#\ \!\<$", ["-_# !<"], ["-"]),
    (r"^[\b]$", ["\b"], ["b"]),
    (r"^[\w-.]+$", ["a-b.c"], ["a b"]),
    (r"^[a-z-_]+$", ["a-_"], ["A"]),
    (r"^[\d-]+[-\s]$", ["1--", "1 "], ["a-"]),
    (r"^[\s\S]$", ["a", " ", "\n", "\ufeff", "\U0001f600"], [""]),
    (r"^[^\S\r\n]$", [" ", "\t", "\ufeff"], ["\n", "a"]),
    (r"^[^\W_]+$", ["a1"], ["_", "é", "-"]),
    (r"^[\D]$", ["a", "/", ":"], ["1"]),
    (r"^[^]$", ["a", "\n"], [""]),
    (r"^\uD83D\uDE00$", ["\U0001f600"], ["a"]),
    (r"(?i)^abc$", ["ABC"], ["b"]),
    (r"^[\p{L}\p{N} -]{1,60}$", ["é 1-"], ["!"]),
    (r"^\p{Script=Greek}+$", ["αβ"], ["a"]),
    (r"^([^,]{1,500},){1,200}$", ["a,", "a,b,"], ["a"]),
]


@pytest.mark.parametrize(("pattern", "found", "missing"), CASES)
def test_a_translated_pattern_accepts_and_refuses_what_ecma_does(
    pattern: str, found: list[str], missing: list[str]
) -> None:
    """On the linear engine or on `re`, whichever was chosen."""
    translated = translate(pattern)
    if translated.linear:
        validator = SchemaValidator(core_schema.str_schema(pattern=translated.text))
        results = {text: _valid(validator, text) for text in [*found, *missing]}
    else:
        results = {text: re.search(translated.text, text) is not None for text in [*found, *missing]}
    assert [text for text, ok in results.items() if ok] == found


def _valid(validator: SchemaValidator, text: str) -> bool:
    try:
        validator.validate_python(text)
    except ValueError:
        return False
    return True


def test_the_common_patterns_run_on_the_linear_engine() -> None:
    """Only look-around, back-references and very long repetitions need backtracking."""
    linear = [translate(pattern).linear for pattern, _, _ in CASES]
    assert linear.count(False) == 5


@pytest.mark.parametrize(
    "pattern",
    ["(?>a)", "(?#c)a", "a++", "a{2}+", "(?P<x>a)", r"\p{Nonsense}", r"^\p{L}{1,500}$", "[", r"\Aa\z", "a(?i)b"],
)
def test_what_no_engine_runs_as_ecma_means_it_is_refused(pattern: str) -> None:
    """Rather than failing when the generated module is imported."""
    with pytest.raises(UnsupportedPattern):
        translate(pattern)
