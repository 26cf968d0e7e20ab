"""Who expects what, who was verified against it, and what runs where: files in git in place of a broker.

    pacts/<consumer>/<version>/<provider>.json   what a version of a consumer expects
    verifications/<provider>/<sha>.json          how versions of a provider did against the pact with that content
    environments/<environment>.json              {"services": {"order": "<version>", ...}}

A version is any text a path can hold; `version_of` derives one from the sources of a service, so that the same sources
are the same version in every clone. `sha` is that of what the pact says (`recorded.sha_of`).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.pacts.contracts import ROOT
from harness.pacts.recorded import sha_of, text_of

FOLDER = Path(__file__).with_name("ledger")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}\Z")
_SHORT = 12


class LedgerError(ValueError):
    """A file of the ledger cannot be used, or a name is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """How one version of a provider did. `wrong` are descriptions of the interactions that it does not keep."""

    version: str
    success: bool
    wrong: tuple[str, ...] = ()


class Ledger:
    """The files below one folder."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self.folder = folder

    # Pacts

    def publish(self, version: str, pacts: Sequence[Mapping[str, Any]]) -> None:
        """Keep what this version of a consumer expects; all of `pacts` are of one consumer."""
        for pact in pacts:
            path = self._pact(pact["consumer"]["name"], version, pact["provider"]["name"])
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text_of(pact), encoding="utf-8")

    def pacts(self, consumer: str, version: str) -> dict[str, str] | None:
        """Provider -> sha of what this version expects of it; None when the version was never published."""
        folder = self.folder / "pacts" / _name(consumer) / _name(version)
        if not folder.is_dir():
            return None
        return {path.stem: sha_of(_read(path)) for path in sorted(folder.glob("*.json"))}

    def _pact(self, consumer: str, version: str, provider: str) -> Path:
        return self.folder / "pacts" / _name(consumer) / _name(version) / f"{_name(provider)}.json"

    # Verifications

    def verified(self, provider: str, sha: str, consumer: str, result: Verification) -> None:
        """Note how a version of the provider did; what was noted of that version before is replaced."""
        path = self._verification(provider, sha)
        found = _read(path) if path.is_file() else {"consumer": consumer, "results": {}}
        found["results"][_name(result.version)] = {"success": result.success, "wrong": list(result.wrong)}
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n", encoding="utf-8")

    def verification(self, provider: str, sha: str, version: str) -> Verification | None:
        """How that version did; None when it was never verified."""
        path = self._verification(provider, sha)
        if not path.is_file():
            return None
        try:
            result = _read(path)["results"].get(version)
            if result is None:
                return None
            return Verification(version=version, success=bool(result["success"]), wrong=tuple(result["wrong"]))
        except (KeyError, TypeError, AttributeError):
            raise LedgerError(f"{path.name} is no verification") from None

    def _verification(self, provider: str, sha: str) -> Path:
        return self.folder / "verifications" / _name(provider) / f"{_name(sha)}.json"

    # Environments

    def environments(self) -> tuple[str, ...]:
        """Their names."""
        return tuple(path.stem for path in sorted((self.folder / "environments").glob("*.json")))

    def deployed(self, environment: str) -> dict[str, str]:
        """Service -> version that runs there. `LedgerError` for an environment that nobody has written down."""
        path = self.folder / "environments" / f"{_name(environment)}.json"
        if not path.is_file():
            known = ", ".join(self.environments()) or "there are none"
            raise LedgerError(f"no environment {environment!r} ({known})")
        services = _read(path).get("services")
        if not isinstance(services, dict) or not all(isinstance(each, str) for each in services.values()):
            raise LedgerError(f"{path.name} has no `services`")
        return dict(services)

    def deploy(self, environment: str, versions: Mapping[str, str]) -> None:
        """Write down that these versions run there now; an environment that is new is made."""
        path = self.folder / "environments" / f"{_name(environment)}.json"
        services = self.deployed(environment) if path.is_file() else {}
        services |= {_name(service): _name(version) for service, version in versions.items()}
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"services": services}, indent=1, sort_keys=True) + "\n", encoding="utf-8")

    def consumers_of(self, provider: str, deployed: Mapping[str, str]) -> dict[str, str]:
        """Consumer -> sha, of what runs and expects something of the provider."""
        found = {}
        for consumer, version in deployed.items():
            sha = (self.pacts(consumer, version) or {}).get(provider)
            if sha is not None:
                found[consumer] = sha
        return found


def version_of(service: str, root: Path = ROOT) -> str:
    """From the bytes of what the service is made of: its folder, what services share, and generated code."""
    digest = hashlib.sha256()
    folders = (f"services/{service}", "services/platform", "generated/python")
    # A consumer outside the platform, such as the web shop, is its expectations and nothing else.
    paths = [path for folder in folders for path in sorted((root / folder).rglob("*.py"))]
    for path in paths:
        digest.update(path.relative_to(root).as_posix().encode() + b"\0")
        digest.update(path.read_bytes() + b"\0")
    return digest.hexdigest()[:_SHORT]


def _name(text: str) -> str:
    if not NAME.match(text):
        raise LedgerError(f"{text!r} is no name that a file can have")
    return text


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        raise LedgerError(f"{path.name}: {problem}") from None
    if not isinstance(found, dict):
        raise LedgerError(f"{path.name} is no JSON object")
    return found
