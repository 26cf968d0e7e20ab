"""Contract files: bytes -> plain values with positions, and `$ref` between them.

Phases: read (size limit, UTF-8) -> parse (`json_text`, `yaml_text`) -> plain
values. Positions are found when somebody asks: the first `locate` of a
document indexes its pointers once.

The only module that reads JSON and YAML contracts.
"""

from __future__ import annotations

import hashlib
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

from codegen.diagnostics import Diagnostics
from codegen.load import positions
from codegen.load.json_text import NotJson, parse_json
from codegen.load.remote import fetch, is_remote
from codegen.load.yaml_text import TextError, parse_yaml
from codegen.model.ids import NOWHERE, Location

DEFAULT_MAX_FILE_SIZE = 32 * 1024 * 1024
MAX_REFERENCE_CHAIN = 100


@dataclass(frozen=True, slots=True, eq=False)
class Document:
    """A parsed file. `data` is plain: dict, list, str, int, float, bool, None."""

    path: str
    data: Any
    digest: str
    index: positions.PositionIndex

    def locate(self, pointer: str, *, key: bool = True) -> Location:
        """The place of `pointer`; of its key when it is a member, so that a caret points at the name."""
        line, column = self.index.find(pointer, key=key)
        return Location(path=self.path, line=line, column=column, pointer=pointer)


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """A value within a document: what loaders walk over."""

    document: Document
    pointer: str
    value: Any
    mark: str = ""
    """Sets apart what is read of the same element in another context."""

    @property
    def location(self) -> Location:
        """File, line and column of this element."""
        return self.document.locate(self.pointer)

    @property
    def id(self) -> str:
        """`path#pointer`, and the mark."""
        return f"{self.document.path}#{self.pointer}{self.mark}"

    @property
    def key(self) -> str:
        """The last part of the pointer, unescaped; empty at the root."""
        return unescape(self.pointer.rpartition("/")[2])

    def child(self, *keys: str | int) -> Node:
        """The member or item under `keys`; its value is None when it is absent."""
        node = self
        for key in keys:
            value = node.value
            if isinstance(value, dict):
                found = value.get(key)
            elif isinstance(value, list) and isinstance(key, int) and key < len(value):
                found = value[key]
            else:
                found = None
            node = Node(node.document, f"{node.pointer}/{escape(str(key))}", found)
        return node

    def has(self, key: str) -> bool:
        """Whether this is an object with that member."""
        return isinstance(self.value, dict) and key in self.value

    def members(self) -> Iterator[tuple[str, Node]]:
        """The members of an object, in order; nothing for any other value."""
        if isinstance(self.value, dict):
            for key, value in self.value.items():
                yield key, Node(self.document, f"{self.pointer}/{escape(key)}", value)

    def items(self) -> Iterator[Node]:
        """The items of an array; nothing for any other value."""
        if isinstance(self.value, list):
            for i, value in enumerate(self.value):
                yield Node(self.document, f"{self.pointer}/{i}", value)

    def text(self, key: str) -> str:
        """A string member, or the empty string."""
        value = self.value.get(key) if isinstance(self.value, dict) else None
        return value if isinstance(value, str) else ""


def escape(token: str) -> str:
    """RFC 6901 escaping of one reference token."""
    return token.replace("~", "~0").replace("/", "~1") if "~" in token or "/" in token else token


def unescape(token: str) -> str:
    """The inverse of `escape`."""
    return token.replace("~1", "/").replace("~0", "~") if "~" in token else token


class Documents:
    """The contract files under one folder; each is read and parsed once.

    `root` is the folder with the contracts; paths are relative to it. Files
    outside of it and remote references are refused. Limits: `max_file_size`
    in bytes.
    """

    def __init__(
        self,
        root: Path,
        diagnostics: Diagnostics,
        *,
        max_file_size: int = DEFAULT_MAX_FILE_SIZE,
        allow_remote: bool = False,
    ) -> None:
        self._root = root.resolve()
        self._diagnostics = diagnostics
        self._max_file_size = max_file_size
        self._allow_remote = allow_remote
        self._loaded: dict[str, Document | None] = {}
        self._anchors: dict[str, dict[str, str]] = {}
        self._identifiers: dict[str, dict[str, str]] = {}
        self.references: dict[str, set[str]] = {}
        """Which documents each document refers to, as far as references were followed."""

    def read(self, path: str) -> bytes | None:
        """The bytes of a contract file; None with a diagnostic when they cannot be had."""
        place = Location(path=path)
        try:
            file = (self._root / path).resolve(strict=True)
            if not file.is_relative_to(self._root):
                self._diagnostics.error(
                    "document/outside",
                    f"`{path}` lies outside the contracts folder",
                    place,
                    hint="copy the file into the contracts folder",
                )
                return None
            status = file.stat()
            if not stat.S_ISREG(status.st_mode):
                self._diagnostics.error(
                    "document/unreadable",
                    f"`{path}` is not a regular file",
                    place,
                    hint="contracts are plain files: move it out of the contracts folder",
                )
                return None
            size = status.st_size
            if size > self._max_file_size:
                self._diagnostics.error(
                    "document/too-large",
                    f"{size:,} bytes are more than the limit of {self._max_file_size:,}",
                    place,
                    hint="split the file with $ref, or raise max_file_size in the settings",
                )
                return None
            return file.read_bytes()
        except (OSError, RuntimeError, ValueError) as problem:
            reason = problem.strerror if isinstance(problem, OSError) else str(problem)
            self._diagnostics.error(
                "document/unreadable",
                f"cannot read `{path}`: {reason}",
                place,
                hint="mend the link or the permissions, or move it out of the contracts folder",
            )
            return None

    def text_digest(self, path: str) -> str | None:
        """SHA-256 of a text that is not parsed here; None with a diagnostic when it cannot be read."""
        content = self.read(path)
        if content is None or self.decode(path, content) is None:
            return None
        return hashlib.sha256(content).hexdigest()

    def deepest(self) -> Location:
        """The most deeply nested value of all documents that were loaded."""
        found = (_deepest(document) for document in self._loaded.values() if document is not None)
        return max(found, default=(0, NOWHERE), key=lambda each: each[0])[1]

    def load(self, path: str) -> Document | None:
        """The parsed document; None (reported once) when it cannot be read or parsed."""
        if path not in self._loaded:
            content = self.read(path)
            self._loaded[path] = None if content is None else self._parse(path, content)
        return self._loaded[path]

    def decode(self, path: str, content: bytes) -> str | None:
        """The text of a file; None, reported, when it is not UTF-8."""
        try:
            return content.decode("utf-8-sig")
        except UnicodeDecodeError as problem:
            start = content.rfind(b"\n", 0, problem.start) + 1
            place = Location(
                path=path,
                line=content.count(b"\n", 0, problem.start) + 1,
                column=len(content[start : problem.start].decode(errors="replace")) + 1,
            )
            self._diagnostics.error(
                "document/encoding",
                "not UTF-8 text",
                place,
                hint="save the file as UTF-8; other encodings are not read",
            )
            return None

    def _parse(self, path: str, content: bytes) -> Document | None:
        digest = hashlib.sha256(content).hexdigest()
        text = self.decode(path, content)
        if text is None:
            return None
        try:
            data, is_json = _values(path, text)
        except TextError as problem:
            self._diagnostics.error(
                problem.rule,
                problem.message,
                Location(path=path, line=problem.line, column=problem.column),
                hint=problem.hint,
            )
            return None
        return Document(path, data, digest, positions.PositionIndex(text, json_text=is_json))

    def root_node(self, document: Document) -> Node:
        """The whole document as a node."""
        return Node(document, "", document.data)

    def follow(self, node: Node) -> Node | None:
        """The node behind any chain of `$ref`s at `node`; `node` itself when it is no reference.

        None, reported, for a missing, remote, cyclic or malformed reference.
        """
        seen: list[str] = []
        while isinstance(node.value, dict) and "$ref" in node.value:
            reference = node.value["$ref"]
            if len(seen) > MAX_REFERENCE_CHAIN:
                self._diagnostics.error(
                    "document/long-ref",
                    f"more than {MAX_REFERENCE_CHAIN} references in a row",
                    node.child("$ref").location,
                    hint="refer to what is meant directly",
                )
                return None
            if node.id in seen:
                self._diagnostics.error(
                    "document/cyclic-ref",
                    f"`{reference}` leads back to itself without a schema",
                    node.child("$ref").location,
                    hint="one of the references of the circle must be replaced by what is meant",
                )
                return None
            seen.append(node.id)
            target = self.resolve(reference, node)
            if target is None:
                return None
            node = target
        return node

    def resolve(self, reference: object, at: Node) -> Node | None:
        """The node that one reference string at `at` names (RFC 3986, RFC 6901); None, reported, when there is none."""
        if not isinstance(reference, str):
            self._diagnostics.error(
                "document/bad-ref",
                "`$ref` must be a string",
                _place_of(at),
                hint="such as `#/components/schemas/Name` or `other.yaml#/Name`",
            )
            return None
        file, _, fragment = reference.partition("#")
        embedded = self._identified(file, at) if file else None
        document = at.document if embedded or not file else self._document_of(file, at)
        if document is None:
            return None
        self.references.setdefault(at.document.path, set()).add(document.path)
        pointer = unquote(fragment)
        base = embedded or Node(document, "", document.data)
        if pointer and not pointer.startswith("/"):
            node = self._anchor(document, pointer)
        else:
            node = self._within(base, pointer)
            if node is None and not file:
                node = next((found for inner in _resources(at) if (found := self._within(inner, pointer))), None)
        if node is None:
            other = "" if document is at.document else f" in {document.path}"
            self._diagnostics.error(
                "document/missing-ref",
                f"`{reference}` does not exist{other}",
                _place_of(at),
                hint=_nearest(base, pointer) or _MISSING_HINT,
            )
        return node

    @staticmethod
    def _within(base: Node, pointer: str) -> Node | None:
        node: Node | None = base
        for token in pointer.split("/")[1:]:
            node = _step(node, token) if node else None
        return node

    def _identified(self, url: str, at: Node) -> Node | None:
        """The schema of the same document whose `$id` is the URL (JSON Schema 2020-12, section 8.2.1)."""
        known = self._identifiers.get(at.document.path)
        if known is None:
            known = self._identifiers[at.document.path] = dict(_find_keyword(at.document.data, ("$id",)))
        pointer = known.get(url) if known else None
        return self._within(Node(at.document, "", at.document.data), pointer) if pointer else None

    def _document_of(self, file: str, at: Node) -> Document | None:
        base = at.document.path if is_remote(at.document.path) else ""
        try:
            url = urljoin(base, file) if base else file
            parts = urlsplit(url)
        except ValueError as problem:
            self._diagnostics.error(
                "document/bad-ref",
                f"`{file}` is no reference: {problem}",
                _place_of(at),
                hint="references are relative paths or URLs: RFC 3986",
            )
            return None
        if parts.scheme or parts.netloc:
            return self._remote(url, _place_of(at))
        path = _joined(at.document.path, unquote(parts.path))
        if path is None:
            self._diagnostics.error(
                "document/outside",
                f"`{file}` lies outside the contracts folder",
                _place_of(at),
                hint="copy the file into the contracts folder",
            )
            return None
        if path not in self._loaded and not _is_file(self._root / path):
            self._diagnostics.error(
                "document/missing-ref",
                f"the file `{path}` does not exist",
                _place_of(at),
                hint="references are relative to the file they stand in",
            )
            return None
        return self.load(path)

    def _remote(self, url: str, where: Location) -> Document | None:
        if url not in self._loaded and not (self._allow_remote and is_remote(url)):
            self._diagnostics.error(
                "document/remote-ref",
                f"`{url}` is remote: remote references are not followed",
                where,
                hint="copy the document into the contracts folder and refer to the copy, or set allow_remote_refs",
            )
            return None
        if url not in self._loaded:
            content = fetch(url, self._max_file_size)
            if isinstance(content, str):
                self._diagnostics.error(
                    "document/remote-ref",
                    f"cannot fetch `{url}`: {content}",
                    where,
                    hint="copy the document into the contracts folder and refer to the copy",
                )
                self._loaded[url] = None
            else:
                self._loaded[url] = self._parse(url, content)
        return self._loaded[url]

    def _anchor(self, document: Document, name: str) -> Node | None:
        anchors = self._anchors.get(document.path)
        if anchors is None:
            anchors = self._anchors[document.path] = dict(_find_keyword(document.data, ("$anchor", "$dynamicAnchor")))
        pointer = anchors.get(name)
        if pointer is None:
            return None
        return self._within(Node(document, "", document.data), pointer)


_MISSING_HINT = "what stands behind `#` is a JSON pointer from the top of the file, such as `/components/schemas/Name`"


def _values(path: str, text: str) -> tuple[Any, bool]:
    """Plain values, and whether the text is JSON. Raises `TextError`."""
    if path.endswith(".json") or text.lstrip()[:1] == "{":
        try:
            return parse_json(text), True
        except NotJson:
            if path.endswith(".json"):
                raise
    return parse_yaml(text), False


def _deepest(document: Document) -> tuple[int, Location]:
    pointer, depth = "", 0
    stack: list[tuple[Any, str, int]] = [(document.data, "", 0)]
    while stack:
        value, at, level = stack.pop()
        if level > depth:
            pointer, depth = at, level
        if isinstance(value, dict):
            stack.extend((child, f"{at}/{escape(key)}", level + 1) for key, child in value.items())
        elif isinstance(value, list):
            stack.extend((child, f"{at}/{i}", level + 1) for i, child in enumerate(value))
    return depth, document.locate(pointer)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        return False


def _step(node: Node, token: str) -> Node | None:
    key = unescape(token)
    if isinstance(node.value, dict) and key in node.value:
        return Node(node.document, f"{node.pointer}/{token}", node.value[key])
    if isinstance(node.value, list) and re.fullmatch(r"0|[1-9]\d{0,9}", key) and int(key) < len(node.value):
        return Node(node.document, f"{node.pointer}/{key}", node.value[int(key)])
    return None


def _joined(base: str, relative: str) -> str | None:
    parts = [] if relative.startswith("/") else base.split("/")[:-1]
    if relative.startswith("/"):
        return None
    for part in relative.split("/"):
        if part in ("", "."):
            continue
        if part == "..":
            if not parts:
                return None
            parts.pop()
        else:
            parts.append(part)
    return "/".join(parts)


def _place_of(at: Node) -> Location:
    return at.child("$ref").location if at.has("$ref") else at.location


def _resources(at: Node) -> Iterator[Node]:
    """The schemas around `at` that `#/...` within them may be relative to, the innermost first.

    Those with an `$id`, and those that AsyncAPI embeds whole: payloads, headers, and schemas with a `schemaFormat`.
    """
    found: list[Node] = []
    node: Node | None = Node(at.document, "", at.document.data)
    embeds = False
    for token in at.pointer.split("/")[1:]:
        node = _step(node, token) if node else None
        if node is None:
            break
        if node.has("$id") or token in ("payload", "headers") or (embeds and token == "schema"):
            found.append(node)
        embeds = node.has("schemaFormat")
    return reversed(found)


def _nearest(node: Node, pointer: str) -> str:
    from difflib import get_close_matches

    parent = node
    for token in pointer.split("/")[1:]:
        found = _step(parent, token)
        if found is None:
            names = [key for key, _ in parent.members()]
            close = get_close_matches(unescape(token), names, n=1)
            return f"did you mean `{close[0]}`?" if close else ""
        parent = found
    return ""


def _find_keyword(value: Any, keywords: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """(value, pointer of its schema) wherever one of the keywords stands."""
    stack = [(value, "")]
    while stack:
        current, at = stack.pop()
        if isinstance(current, dict):
            for keyword in keywords:
                if isinstance(current.get(keyword), str):
                    yield current[keyword], at
            stack.extend((child, f"{at}/{escape(str(key))}") for key, child in current.items())
        elif isinstance(current, list):
            stack.extend((child, f"{at}/{i}") for i, child in enumerate(current))
