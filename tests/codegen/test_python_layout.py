"""Every contract becomes a module of its own, under a name that its path says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from codegen import pipeline
from codegen.diagnostics import Diagnostics
from tests.generating import write_contracts

DOCUMENT = """{"openapi": "3.1.0", "info": {"title": "T", "version": "1"},
"components": {"schemas": {"A": {"type": "object", "properties": {"b": {"type": "string"}}}}}}"""


def modules(folder: Path, paths: list[str], names: dict[str, str]) -> tuple[set[str], Diagnostics]:
    settings = replace(write_contracts(folder, dict.fromkeys(paths, DOCUMENT)), package="made", names=names)
    diagnostics = Diagnostics()
    output = pipeline.generate(settings, diagnostics, lambda _: None, None)
    files = [file.path for unit in output.units for file in unit.files or ()] if output else []
    return {path.removesuffix("/models.py") for path in files if path.endswith("/models.py")} - {
        "python/made/runtime"
    }, diagnostics


@pytest.mark.parametrize(
    ("path", "module"),
    [
        ("shop/v1/openapi.yaml", "shop/v1/http"),
        ("pets.yaml", "pets"),
        ("pets.v2.yaml", "pets_v2"),
        ("orders.v2.openapi.json", "orders_v2"),
        ("Big-Shop/API v1.yml", "big_shop/api_v1"),
        ("class/import.yaml", "class_/import_"),
    ],
)
def test_a_module_is_called_after_its_file(tmp_path: Path, path: str, module: str) -> None:
    found, diagnostics = modules(tmp_path, [path], {})
    assert not diagnostics.errors
    assert found == {f"python/made/{module}"}


def test_two_files_of_one_name_are_an_error_until_the_settings_tell_them_apart(tmp_path: Path) -> None:
    _, diagnostics = modules(tmp_path, ["a/pets.yaml", "a/pets.json"], {})
    assert [d.rule for d in diagnostics.errors] == ["names/collision"]
    found, diagnostics = modules(tmp_path, ["a/pets.yaml", "a/pets.json"], {"a/pets.json": "pets_copy"})
    assert not diagnostics.errors
    assert found == {"python/made/a/pets", "python/made/a/pets_copy"}
