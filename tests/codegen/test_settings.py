"""Settings: where they are found, what they say, and where a mistake in them is."""

from __future__ import annotations

from pathlib import Path

import pytest

from codegen.diagnostics import Diagnostic, Diagnostics, Severity
from codegen.model.ids import Location
from codegen.settings import Ignored, Settings, apply, defaults, load, package_complaint, parse


def read(text: str, *, name: str = "treaty.toml") -> tuple[Settings | None, list[Diagnostic]]:
    found = Diagnostics()
    return parse(text.encode(), Path.cwd() / name, found), list(found)


def test_without_a_file_everything_has_a_default(tmp_path: Path) -> None:
    assert load(tmp_path, Diagnostics()) == defaults(tmp_path)
    assert defaults(tmp_path).contracts == tmp_path / "contracts"


def test_the_nearest_folder_upwards_wins_and_folders_are_relative_to_it(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.treaty]\npackage = "outer"\n')
    (tmp_path / "a").mkdir()
    (tmp_path / "a/treaty.toml").write_text('package = "inner"\nout = "made"\n')
    (tmp_path / "a/pyproject.toml").write_text('[tool.treaty]\npackage = "beside"\n')
    (tmp_path / "a/b").mkdir()
    settings = load(tmp_path / "a/b", Diagnostics())
    assert settings
    assert (settings.package, settings.out) == ("inner", tmp_path / "a/made")


def test_a_pyproject_without_our_table_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.treaty]\npackage = "outer"\n')
    (tmp_path / "a").mkdir()
    (tmp_path / "a/pyproject.toml").write_text("[project]\n")
    settings = load(tmp_path / "a", Diagnostics())
    assert settings
    assert settings.package == "outer"


def test_every_setting_is_read() -> None:
    settings, found = read(
        'contracts = "c"\nout = "o"\nservices = "s"\npackage = "a.b"\ntargets = ["python"]\nstrict = true\n'
        'allow_remote_refs = true\nmax_file_size = 9\n[names]\n"x.yaml#/a" = "B"\n'
        '[[ignore]]\nrule = "python/*"\npath = "x/*"\nreason = "not called"\n'
    )
    assert found == []
    here = Path.cwd()
    assert settings == Settings(
        root=here,
        contracts=here / "c",
        out=here / "o",
        services=here / "s",
        package="a.b",
        targets=("python",),
        strict=True,
        allow_remote_refs=True,
        max_file_size=9,
        names={"x.yaml#/a": "B"},
        ignore=(Ignored(rule="python/*", path="x/*", reason="not called"),),
    )


@pytest.mark.parametrize(
    ("text", "rule", "line", "column"),
    [
        ("package = 3\n", "settings/type", 1, 1),
        ('\n  package = "Not-a-name"\n', "settings/value", 2, 3),
        ('package = "class"\n', "settings/value", 1, 1),
        ('package = "json"\n', "settings/value", 1, 1),
        ('# contracts\ncontrats = "x"\n', "settings/unknown-key", 2, 1),
        ("strict = 1\n", "settings/type", 1, 1),
        ("max_file_size = true\n", "settings/type", 1, 1),
        ("max_file_size = 0\n", "settings/type", 1, 1),
        ('targets = ["cobol"]\n', "settings/value", 1, 1),
        ("targets = []\n", "settings/type", 1, 1),
        ('out = ""\n', "settings/value", 1, 1),
        ('[names]\n"a#/b" = "not a name"\n', "settings/value", 2, 1),
        ('[names]\n"a#/b" = "class"\n', "settings/value", 2, 1),
        ('strict = true\n[[ignore]]\nrule = "x"\n', "settings/missing", 2, 3),
        ('[[ignore]]\nrule = "x"\nreason = " "\n', "settings/missing", 1, 3),
        ('ignore = [{rule = "x", reason = "y", file = "z"}]\n', "settings/unknown-key", 1, 38),
        ("a = \n", "settings/syntax", 1, 5),
        ("a = 1\na = 2\n", "settings/syntax", 2, 6),
    ],
)
def test_a_mistake_is_reported_at_its_place(text: str, rule: str, line: int, column: int) -> None:
    settings, found = read(text)
    assert settings is None
    assert [(each.rule, each.location.line, each.location.column) for each in found] == [(rule, line, column)]
    assert found[0].location.path == "treaty.toml"


def test_a_mistake_in_pyproject_is_searched_in_our_table_only() -> None:
    _, found = read("[other]\npackage = 3\n\n[tool.treaty]\npackage = 3\n", name="pyproject.toml")
    assert [each.location.line for each in found] == [5]


def test_an_unknown_key_names_the_one_that_was_probably_meant() -> None:
    assert read('contrats = "x"\n')[1][0].hint == "did you mean `contracts`?"


def test_an_error_is_never_ignored_and_other_complaints_only_where_the_decision_says() -> None:
    settings, _ = read('[[ignore]]\nrule = "python/*"\npath = "x/*"\nreason = "not called"\n')
    assert settings

    def complaint(severity: Severity, path: str) -> Diagnostic:
        return Diagnostic(rule="python/a", severity=severity, message="m", location=Location(path=path))

    ignored = complaint(Severity.UNSUPPORTED, "x/a.yaml")
    elsewhere = complaint(Severity.UNSUPPORTED, "y/a.yaml")
    error = complaint(Severity.ERROR, "x/a.yaml")
    assert apply(settings, [ignored, elsewhere, error]) == ((elsewhere, error), 1)


def test_under_strict_what_is_not_expressed_is_an_error() -> None:
    settings, _ = read("strict = true\n")
    assert settings
    found = Diagnostic(rule="python/a", severity=Severity.UNSUPPORTED, message="m")
    assert apply(settings, [found])[0][0].severity is Severity.ERROR


@pytest.mark.parametrize("package", ["", "A", "a-b", "a..b", "1a", "for", "a.for", "typing", "a b", "a/b", "\u00e9"])
def test_what_cannot_be_a_package_is_said(package: str) -> None:
    assert package_complaint(package)
