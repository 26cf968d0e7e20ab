"""`treaty init`: a minimal contract set, one of each kind, that generates without a complaint."""

from __future__ import annotations

import json
from pathlib import Path

from codegen.settings import STANDALONE
from codegen.targets.files import GeneratedFile, Policy

_STARTER = Path(__file__).parent / "starter"

_SETTINGS = """\
# Settings of treaty (https://toml.io). Folders are relative to this file.
contracts = "contracts"
out = "generated"
package = {package}
targets = ["python"]

# Names that replace derived ones:
# [names]
# "task/v1/openapi.yaml#/components/schemas/Problem" = "ProblemDetails"

# Complaints you have decided to live with:
# [[ignore]]
# rule = "python/unsupported"
# path = "partners/*"
# reason = "we do not call these operations"
"""

_NEXT = """
Next:
{go}  treaty generate                  contracts/ -> generated/
  treaty inspect --format mermaid  a picture of services, operations and channels
  treaty service task              services/task, ready to start
Commit contracts/ and generated/; run `treaty check` in CI.
"""


def contract_set(package: str) -> tuple[GeneratedFile, ...]:
    """A proto service, the HTTP API in front of it, an event, and settings for them."""
    contracts = sorted(path for path in _STARTER.rglob("*") if path.suffix in (".proto", ".yaml"))
    files = {
        f"contracts/{path.relative_to(_STARTER).as_posix()}": path.read_text(encoding="utf-8") for path in contracts
    }
    files[STANDALONE] = _SETTINGS.format(package=json.dumps(package))
    return tuple(GeneratedFile(path=path, content=text, policy=Policy.ONCE) for path, text in files.items())


def next_steps(folder: str) -> str:
    """What to do with the files in `folder`."""
    return _NEXT.format(go="" if folder == "." else f"  cd {folder}\n")
