"""One row's generation, in a process of its own: writes the package, prints what it cost as one line of JSON."""

from __future__ import annotations

import json
import resource
import sys
import time
from dataclasses import replace
from pathlib import Path

from codegen import pipeline
from codegen.diagnostics import Diagnostics, Severity, as_text
from codegen.settings import defaults


def main() -> int:
    """The request is the one argument: `{"root", "paths", "out"}`."""
    request = json.loads(sys.argv[1])
    root = Path(request["root"])
    settings = replace(defaults(root), contracts=root, out=Path(request["out"]), package="corpus_contracts")
    diagnostics = Diagnostics()
    output = pipeline.generate(settings, diagnostics, lambda _: None, None, only=tuple(request["paths"]))
    if output is not None:
        diagnostics.extend(found for unit in output.units for found in unit.diagnostics)
    if output is None or diagnostics.errors:
        print(as_text(diagnostics.ordered()))
        return 1
    modules = 0
    for unit in output.units:
        modules += unit.name != pipeline.PACKAGE_UNIT and bool(unit.files)
        for file in unit.files or ():
            path = Path(request["out"], file.path)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(file.content if isinstance(file.content, bytes) else file.content.encode())
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    own = resource.getrusage(resource.RUSAGE_SELF)
    print(
        json.dumps(
            {
                "unsupported": sum(found.severity is Severity.UNSUPPORTED for found in diagnostics),
                "warnings": sum(found.severity is Severity.WARNING for found in diagnostics),
                "seconds": time.process_time() + children.ru_utime + children.ru_stime,
                "peak": max(own.ru_maxrss, children.ru_maxrss) / 1024,
                "modules": modules,
                "text": as_text(diagnostics.ordered()),
            }
        )
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
