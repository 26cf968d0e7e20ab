"""Events held to the AsyncAPI contracts: each entry of a stream is a CloudEvent as the schema of its channel says."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import yaml
from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from harness.pacts.contracts import CONTRACTS
from harness.pacts.observed import EventSeen

BASE = "contracts:///"


class EventSchemas:
    """The schemas of all channels, read from the documents themselves."""

    def __init__(self, root: Path = CONTRACTS) -> None:
        self._documents = {
            BASE + path.relative_to(root).as_posix(): yaml.safe_load(path.read_text(encoding="utf-8"))
            for path in sorted(root.rglob("*.yaml"))
            if "asyncapi" in path.name or path.parent.parent.name == "common"
        }
        registry: Registry[Any] = Registry().with_resources(
            (uri, Resource(contents=document, specification=DRAFT202012)) for uri, document in self._documents.items()
        )
        self._validators = {
            address: Draft202012Validator({"anyOf": schemas}, registry=registry, format_checker=FormatChecker())
            for address, schemas in self._channels()
        }

    def problems(self, seen: Iterable[EventSeen]) -> Iterator[tuple[EventSeen, str]]:
        """(entry, what is wrong with it)."""
        for each in seen:
            if each.event is None:
                yield each, "the entry holds no JSON object"
                continue
            validator = self._validators.get(each.channel)
            if validator is None:
                yield each, "no contract has this channel"
                continue
            for error in validator.iter_errors(each.event):
                for part in error.context or (error,):
                    yield each, f"{part.json_path}: {part.message[:200]}"

    def _channels(self) -> Iterator[tuple[str, list[dict[str, str]]]]:
        for uri, document in self._documents.items():
            for channel in (document.get("channels") or {}).values():
                yield channel["address"], [self._payload(uri, each) for each in channel["messages"].values()]

    def _payload(self, uri: str, message: Mapping[str, Any]) -> dict[str, str]:
        """A reference to the payload's schema, from a message or a reference to one."""
        while "$ref" in message:
            target = urljoin(uri, message["$ref"])
            uri, _, pointer = target.partition("#")
            found: Any = self._documents[uri]
            for step in pointer.strip("/").split("/"):
                found = found[step.replace("~1", "/").replace("~0", "~")]
            message = found
        return {"$ref": urljoin(uri, message["payload"]["$ref"])}
