"""Emits `operations.py`: what the contract says of each operation, as data for client and server."""

from __future__ import annotations

from collections.abc import Iterable

from codegen.model.ids import Location
from codegen.model.services import HttpRole, Idempotency, MediaType, Parameter, Response, SecurityRequirement
from codegen.targets.files import GeneratedFile
from codegen.targets.python.http_plan import Argument, Plan, media_kind
from codegen.targets.python.http_servers import resolved_url
from codegen.targets.python.http_shapes import shape_of
from codegen.targets.python.http_spelling import HttpSpelling
from codegen.targets.python.names import constant
from codegen.targets.python.writer import PythonFile, json_literal, text


def emit_operations(spelling: HttpSpelling, plans: tuple[Plan, ...]) -> GeneratedFile:
    """The module of operation constants and security schemes."""
    file = spelling.file("operations", f"Operations of {spelling.service.name}, as its contract describes them.")
    names = [plan.constant for plan in plans]
    for name in [*names, "SCHEMES"]:
        file.define(name)
    _Writer(spelling, file).write(plans)
    return GeneratedFile(path=file.path, content=file.render())


class _Writer:
    def __init__(self, spelling: HttpSpelling, file: PythonFile) -> None:
        self._spelling = spelling
        self._file = file

        self._shared: dict[str, str] = {}
        """Literals by the name of the constant that stands for a component of the contract."""

    def write(self, plans: tuple[Plan, ...]) -> None:
        """Components first, since operations refer to them."""
        operation = self._runtime("Operation")
        lines = [
            f"{plan.constant}: {operation}[{self._result(plan)}] = {operation}({', '.join(self._members(plan))})"
            for plan in plans
        ]
        self._schemes()
        for name, literal in self._shared.items():
            self._file.line(f"{name} = {literal}")
        for line in lines:
            self._file.line()
            self._file.line(line)

    def _component(self, location: Location, section: str, suffix: str, literal: str) -> str:
        """The name of a component's constant; the literal itself for what stands in one operation only."""
        prefix = f"/components/{section}/"
        if not location.pointer.startswith(prefix):
            return literal
        name = f"_{constant(location.pointer.removeprefix(prefix))}{suffix}"
        return name if self._shared.setdefault(name, literal) == literal else literal

    def _runtime(self, name: str) -> str:
        return self._spelling.runtime(self._file, "http_operation", name)

    def _result(self, plan: Plan) -> str:
        if plan.unary:
            return self._spelling.result(self._file, plan)
        return self._spelling.event(self._file, plan) if plan.events else "bytes"

    def _schemes(self) -> None:
        scheme = self._runtime("Scheme")
        listed = []
        for found in self._spelling.service.security_schemes:
            parts = [text(found.name), text(found.kind)]
            for key, value in (("scheme", found.scheme), ("place", found.place), ("parameter", found.parameter)):
                if value:
                    parts.append(f"{key}={text(value)}")
            listed.append(f"{scheme}({', '.join(parts)})")
        self._file.line(f"SCHEMES: tuple[{scheme}, ...] = ({''.join(each + ', ' for each in listed)})")

    def _members(self, plan: Plan) -> Iterable[str]:
        binding, operation = plan.binding, plan.operation
        yield text(operation.name)
        yield text(binding.method)
        yield text(binding.path if binding.role is HttpRole.ENDPOINT else "")
        if plan.arguments:
            yield f"params={_tuple(self._param(argument) for argument in plan.arguments)}"
        if binding.body is not None:
            yield f"body={_tuple(self._content(media, written=True) for media in binding.body.content)}"
            if binding.body.required:
                yield "body_required=True"
        if binding.responses:
            yield f"answers={_tuple(self._answer(response) for response in binding.responses)}"
        if binding.security and binding.security != ((),):
            yield f"security={_tuple(self._requirement(requirement) for requirement in binding.security)}"
        if operation.idempotency in (Idempotency.SAFE, Idempotency.IDEMPOTENT):
            yield "repeatable=True"
        if binding.idempotency_header is not None:
            yield f"idempotency_header={text(binding.idempotency_header)}"
        if binding.servers:
            yield f"servers={_tuple(text(resolved_url(server)) for server in binding.servers)}"

    def _param(self, argument: Argument) -> str:
        parameter = argument.parameter
        parts = [text(parameter.name), text(parameter.place.value), text(argument.name)]
        annotation = self._spelling.types.annotation(
            parameter.type, self._file, written=True, location=parameter.location
        )
        if annotation != "str":
            parts.append(annotation)
        shape = shape_of(self._spelling.graph, parameter.type)
        if shape != "'string'":
            parts.append(f"shape={shape}")
        if parameter.required:
            parts.append("required=True")
        parts.extend(_style(parameter))
        if parameter.has_default and parameter.default is not None:
            parts.append(f"default={json_literal(parameter.default)}")
        literal = f"{self._runtime('Param')}({', '.join(parts)})"
        return self._component(parameter.location, "parameters", "_PARAM", literal)

    def _content(self, media: MediaType, *, written: bool) -> str:
        parts = [text(media.name)]
        kind = media_kind(media.name)
        if media.type is not None and kind in ("json", "form", "multipart", "events"):
            parts.append(
                self._spelling.types.annotation(media.type, self._file, written=written, location=media.location)
            )
        if media.type is not None and kind in ("form", "multipart"):
            parts.append(f"shape={shape_of(self._spelling.graph, media.type)}")
        encodings = []
        for encoding in media.encodings:
            own = [text(encoding.property)]
            for key, value in (("content_type", encoding.content_type), ("style", encoding.style)):
                if value is not None:
                    own.append(f"{key}={text(value)}")
            if encoding.explode is not None:
                own.append(f"explode={encoding.explode}")
            encodings.append(f"{self._runtime('Part')}({', '.join(own)})")
        if encodings:
            parts.append(f"parts={_tuple(encodings)}")
        return f"{self._runtime('Content')}({', '.join(parts)})"

    def _answer(self, response: Response) -> str:
        parts = [text(response.status)]
        if response.content:
            parts.append(_tuple(self._content(media, written=False) for media in response.content))
        if response.headers:
            headers = (
                f"({text(h.name)}, {self._spelling.types.annotation(h.type, self._file, location=h.location)})"
                for h in response.headers
            )
            parts.append(f"headers={_tuple(headers)}")
        literal = f"{self._runtime('Answer')}({', '.join(parts)})"
        return self._component(response.location, "responses", f"_{response.status.upper()}", literal)

    def _requirement(self, requirement: SecurityRequirement) -> str:
        uses = []
        for use in requirement:
            scopes = f", {_tuple(text(scope) for scope in use.scopes)}" if use.scopes else ""
            uses.append(f"{self._runtime('Use')}({text(use.scheme)}{scopes})")
        return _tuple(uses)


def _style(parameter: Parameter) -> Iterable[str]:
    if parameter.style != "form":
        yield f"style={text(parameter.style)}"
    if parameter.explode:
        yield "explode=True"
    if parameter.allow_reserved:
        yield "allow_reserved=True"


def _tuple(parts: Iterable[str]) -> str:
    listed = list(parts)
    return f"({listed[0]},)" if len(listed) == 1 else f"({', '.join(listed)})"
