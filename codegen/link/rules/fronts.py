"""An HTTP operation that fronts an RPC maps onto it: request, response, stream kind, status.

A header parameter whose `x-grpc-field` is a map field becomes one entry of it, under the header's name.
"""

from __future__ import annotations

from codegen.diagnostics import Diagnostics
from codegen.link.rules.entities import check_field
from codegen.link.rules.json_mapping import mismatch
from codegen.model.graph import Graph
from codegen.model.ids import Location
from codegen.model.services import (
    GrpcBinding,
    HttpBinding,
    MediaType,
    Operation,
    Parameter,
    ParameterPlace,
    Response,
    Transcoding,
)
from codegen.model.types import Alias, Field, JsonValue, MapOf, Record, Reference, Scalar, Type

HTTP_OF_GRPC = {
    "INVALID_ARGUMENT": 400,
    "FAILED_PRECONDITION": 400,
    "OUT_OF_RANGE": 400,
    "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403,
    "NOT_FOUND": 404,
    "ALREADY_EXISTS": 409,
    "ABORTED": 409,
    "RESOURCE_EXHAUSTED": 429,
    "CANCELLED": 499,
    "UNKNOWN": 500,
    "INTERNAL": 500,
    "DATA_LOSS": 500,
    "UNIMPLEMENTED": 501,
    "UNAVAILABLE": 503,
    "DEADLINE_EXCEEDED": 504,
}
"""google.rpc.Code's own table (google/rpc/code.proto)."""
_OF_THE_FRONT = {405, 406, 408, 413, 414, 415, 422, 431}
"""What the HTTP side answers by itself, before any RPC."""


def check(graph: Graph, diagnostics: Diagnostics) -> None:
    """Hold every fronting operation to its RPC."""
    for operation in graph.operations.values():
        if operation.fronts is None or operation.transcoding is None or not isinstance(operation.binding, HttpBinding):
            continue
        rpc = graph.operations[operation.fronts]
        if isinstance(rpc.binding, GrpcBinding):
            _Front(graph, operation, operation.binding, operation.transcoding, rpc, rpc.binding, diagnostics).check()


class _Front:
    def __init__(
        self,
        graph: Graph,
        operation: Operation,
        http: HttpBinding,
        how: Transcoding,
        rpc: Operation,
        grpc: GrpcBinding,
        diagnostics: Diagnostics,
    ) -> None:
        self._graph = graph
        self._operation = operation
        self._http = http
        self._how = how
        self._rpc = rpc
        self._grpc = grpc
        self._diagnostics = diagnostics
        self._filled: set[str] = set()

    def check(self) -> None:
        request = self._graph.declarations.get(self._grpc.input)
        response = self._graph.declarations.get(self._grpc.output)
        if isinstance(request, Record):
            self._request({field.name: field for field in request.fields}, request)
        if self._grpc.client_streaming:
            self._error(
                "link/rpc-stream",
                "an RPC that takes a stream cannot be fronted by one HTTP request",
                hint="front a unary or server-streaming RPC",
            )
        self._statuses()
        if isinstance(response, Record):
            self._response({field.name: field for field in response.fields}, response)

    def _error(self, rule: str, message: str, *, hint: str, at: Location | None = None) -> None:
        place = at or self._how.location
        self._diagnostics.error(
            rule, f"{self._operation.name}: {message}", place, related=(self._rpc.location,), hint=hint
        )

    # -- request

    def _request(self, wanted: dict[str, Field], request: Record) -> None:
        for name, _ in self._how.constants:
            self._take(name, wanted, "`x-grpc-set`")
        for parameter in self._http.parameters:
            self._parameter(parameter, wanted)
        self._body(wanted)
        chosen = {wanted[name].oneof for name in self._filled if name in wanted} - {None}
        for name, proto_field in wanted.items():
            if name not in self._filled and proto_field.oneof not in chosen:
                self._diagnostics.warning(
                    "link/rpc-request-unfilled",
                    f"{self._operation.name}: nothing of the HTTP request fills `{request.id}.{name}`",
                    self._how.location,
                    related=(proto_field.location,),
                    hint="add a parameter or property, or set it by `x-grpc-set`",
                )

    def _take(self, name: str, wanted: dict[str, Field], what: str, at: Location | None = None) -> Field | None:
        proto_field = wanted.get(name)
        if proto_field is None:
            self._error(
                "link/rpc-request-field",
                f"{what} fills `{name}`, which `{self._grpc.input}` has not",
                hint="rename it, or say the field by `x-grpc-field`",
                at=at,
            )
        elif name in self._filled:
            self._error(
                "link/rpc-request-field",
                f"`{name}` of `{self._grpc.input}` is filled twice",
                hint="keep one of: `x-grpc-set`, a parameter, the body",
                at=at,
            )
        self._filled.add(name)
        return proto_field

    def _parameter(self, parameter: Parameter, wanted: dict[str, Field]) -> None:
        renamed = dict(self._how.parameter_fields)
        by_header = parameter.place in (ParameterPlace.HEADER, ParameterPlace.COOKIE)
        if by_header and parameter.name not in renamed:
            return
        name = renamed.get(parameter.name, parameter.name)
        if by_header and name in wanted and isinstance(wanted[name].type, MapOf):
            self._filled.add(name)
            return
        proto_field = self._take(name, wanted, f"the parameter `{parameter.name}`", parameter.location)
        if proto_field is not None:
            as_field = Field(name=parameter.name, type=parameter.type, required=False, location=parameter.location)
            check_field(self._graph, as_field, proto_field, self._diagnostics)

    def _body(self, wanted: dict[str, Field]) -> None:
        media = self._json(self._http.body.content) if self._http.body else None
        target = self._how.body_field
        if target is not None:
            proto_field = self._take(target, wanted, "`x-grpc-body`")
            raw = proto_field is not None and isinstance(proto_field.type, Scalar)
            if proto_field and media and media.type and not raw:
                what = f"the body and `{self._grpc.input}.{target}`"
                self._compare(media.type, proto_field.type, "link/rpc-request", what)
            return
        record = self._record(media.type) if media and media.type else None
        for field in record.fields if record else ():
            proto_field = self._take(field.name, wanted, f"the property `{field.name}`", field.location)
            if proto_field is not None and (record is None or record.identity is None):
                check_field(self._graph, field, proto_field, self._diagnostics)

    # -- response

    def _response(self, wanted: dict[str, Field], response: Record) -> None:
        success = [r for r in self._http.responses if r.status.startswith("2")]
        if not success:
            self._error("link/rpc-response", "no success response is described", hint="describe a 2XX response")
        for answer in success:
            self._success(answer, wanted, response)

    def _success(self, answer: Response, wanted: dict[str, Field], response: Record) -> None:
        streams = [m for m in answer.content if m.name.split(";")[0] == "text/event-stream"]
        if self._grpc.server_streaming and not streams:
            self._error(
                "link/rpc-stream",
                f"the RPC answers with a stream, the {answer.status} response is none",
                hint="describe the response as `text/event-stream`",
            )
        media = streams[0] if streams else self._json(answer.content)
        field_name = self._how.response_field
        if field_name is not None and field_name not in wanted:
            self._error(
                "link/rpc-response",
                f"`x-grpc-response-body` names `{field_name}`, which `{self._grpc.output}` has not",
                hint=f"fields: {', '.join(wanted)}",
            )
            return
        if media is None or media.type is None:
            needs = wanted[field_name] if field_name else None
            if (response.fields if needs is None else True) and answer.status != "204" and not answer.content:
                self._error(
                    "link/rpc-response",
                    f"`{self._grpc.output}` has fields, the {answer.status} response has no body",
                    hint="describe the body, or answer 204",
                )
            return
        proto_type: Type = wanted[field_name].type if field_name else Reference(target=response.id)
        what = f"the {answer.status} response and `{self._grpc.output}`"
        self._compare(media.type, proto_type, "link/rpc-response", what)

    def _compare(self, json_type: Type, proto_type: Type, rule: str, what: str) -> None:
        record = self._record(json_type)
        target = self._graph.declarations.get(proto_type.target) if isinstance(proto_type, Reference) else None
        if record is not None and record.identity is None and isinstance(target, Record):
            fields = {field.name: field for field in target.fields}
            for field in record.fields:
                if field.name not in fields:
                    self._error(
                        rule,
                        f"{what}: `{target.id}` has no field `{field.name}`",
                        hint="remove the property, or add the field in proto",
                        at=field.location,
                    )
                else:
                    check_field(self._graph, field, fields[field.name], self._diagnostics)
            return
        found = mismatch(self._graph, json_type, proto_type)
        if found is not None:
            self._error(
                rule,
                f"{what} do not map: {found.value}",
                hint="describe it by the proto3 JSON mapping of the proto type",
            )

    def _record(self, found: Type) -> Record | None:
        while isinstance(found, Reference):
            target = self._graph.declarations.get(found.target)
            if isinstance(target, Record):
                return target
            if not isinstance(target, Alias):
                return None
            found = target.type
        return None

    @staticmethod
    def _json(content: tuple[MediaType, ...]) -> MediaType | None:
        return next((m for m in content if m.name.split(";")[0].strip().endswith(("/json", "+json"))), None)

    # -- status

    def _overrides(self) -> dict[str, int]:
        """`x-grpc-status` of the document and the operation: gRPC codes with another HTTP status than their own."""
        service = self._graph.services.get(self._operation.location.path)
        found: dict[str, int] = {}
        for owner in (service, self._operation):
            if owner is not None and "x-grpc-status" in owner.extensions:
                found |= self._stated(owner.extensions["x-grpc-status"])
        return found

    def _stated(self, stated: JsonValue) -> dict[str, int]:
        if not isinstance(stated, dict) or any(
            code not in HTTP_OF_GRPC or type(status) is not int for code, status in stated.items()
        ):
            self._error(
                "link/status",
                "`x-grpc-status` must map gRPC codes to HTTP statuses",
                hint="write such as `FAILED_PRECONDITION: 409`",
            )
            return {}
        return {code: status for code, status in stated.items() if isinstance(status, int)}

    def _statuses(self) -> None:
        possible = set(HTTP_OF_GRPC.values()) | set(self._overrides().values()) | _OF_THE_FRONT
        documented = {answer.status for answer in self._http.responses}
        for answer in self._http.responses:
            stated = answer.status
            if not stated.isdigit() or int(stated) < 400 or int(stated) in possible:
                continue
            self._diagnostics.error(
                "link/status",
                f"{self._operation.name}: no gRPC status becomes HTTP {stated}",
                answer.location,
                related=(self._rpc.location,),
                hint="google.rpc.Code says which do: 400, 401, 403, 404, 409, 429, 500, 501, 503, 504",
            )
        if "default" in documented:
            return
        wanted = {"400", "500", "503", "504"} | ({"401"} if any(self._http.security) else set())
        missing = sorted(code for code in wanted if code not in documented and f"{code[0]}XX" not in documented)
        if missing:
            self._diagnostics.warning(
                "link/status",
                f"{self._operation.name}: the RPC can end in HTTP {', '.join(missing)}, which the "
                "operation does not describe",
                self._operation.location,
                related=(self._rpc.location,),
                hint="describe them, or a `default` response",
            )
