"""OpenAPI 3.0 and 3.1 documents -> fragments; 3.2 is read as 3.1.

Phases: version -> shape of the document -> component schemas -> servers and
security -> sites of all operations -> operations. Complaints are gathered; one
bad operation does not stop the others. Schemas are read by the schema reader,
which keeps the declarations.
"""

from __future__ import annotations

import re

from codegen.diagnostics import Diagnostics
from codegen.load.documents import Document, Documents
from codegen.load.fields import check_sections, extensions_of
from codegen.load.openapi_operations import find_sites, read_operation
from codegen.load.openapi_reading import AREA, FIELDS, Reading, Schemas
from codegen.load.openapi_security import read_security, read_security_schemes, read_servers
from codegen.model.graph import Contract, ContractKind, Fragment
from codegen.model.services import Service


def load_openapi(document: Document, documents: Documents, schemas: Schemas, diagnostics: Diagnostics) -> Fragment:
    """The fragment of one document; empty but for its contract when the version cannot be read."""
    reading = Reading(document, documents, schemas, diagnostics)
    if not _check_version(reading):
        return Fragment(contract=_contract(reading))
    root = reading.root
    reading.check_fields(root, "document")
    check_sections(root, ("paths", "webhooks", "components"), ("servers", "tags"), AREA, "shape", diagnostics)
    _check_info(reading)
    _read_components(reading)
    schemes = read_security_schemes(reading, root.child("components", "securitySchemes"))
    scheme_names = frozenset(scheme.name for scheme in schemes)
    security = read_security(reading, root, scheme_names, ())
    sites = find_sites(reading)
    names = {site.name: site.id for site in sites}
    operations = tuple(read_operation(reading, site, names, scheme_names, security) for site in sites)
    service = Service(
        id=document.path,
        name=root.child("info").text("title") or document.path,
        operations=tuple(operation.id for operation in operations),
        doc=root.child("info").text("description"),
        version=str(root.child("info", "version").value or ""),
        servers=read_servers(reading, root.child("servers")),
        security_schemes=schemes,
        location=root.location,
        extensions=extensions_of(root.members()),
    )
    return Fragment(contract=_contract(reading), services=(service,), operations=operations)


def _check_version(reading: Reading) -> bool:
    root, diagnostics = reading.root, reading.diagnostics
    if root.has("swagger"):
        diagnostics.error(
            "openapi/version",
            f"Swagger {root.value['swagger']} is not supported",
            root.child("swagger").location,
            hint="convert the document to OpenAPI 3.0 or 3.1",
        )
        return False
    version = root.text("openapi")
    if re.fullmatch(r"3\.[01]\.\d+(-.+)?", version):
        return True
    where = root.child("openapi").location
    if re.fullmatch(r"3\.\d+\.\d+(-.+)?", version):
        diagnostics.warning(
            "openapi/version", f"OpenAPI {version} is read as 3.1", where, hint="what is new in it is ignored"
        )
        return True
    given = root.child("openapi").value
    diagnostics.error(
        "openapi/version",
        f"OpenAPI {given} is not supported" if given is not None else "`openapi: 3.1.0` is missing",
        where,
        hint="3.0 and 3.1 are, as `3.1.0` in quotes or not",
    )
    return False


def _check_info(reading: Reading) -> None:
    info = reading.object(reading.root.child("info"), "info")
    if info is None:
        return
    for key in ("title", "version"):
        if not info.has(key):
            reading.diagnostics.error(
                "openapi/info",
                f"`info` needs `{key}`",
                info.location,
                hint="the document needs `info` with a `title` and a `version`",
            )


def _read_components(reading: Reading) -> None:
    components = reading.root.child("components")
    if components.value is None:
        return
    if not isinstance(components.value, dict):
        return
    reading.check_fields(components, "components")
    check_sections(components, FIELDS["components"], (), AREA, "shape", reading.diagnostics)
    for key, node in components.child("schemas").members():
        reading.schemas.type_of(node, (key,))


def _contract(reading: Reading) -> Contract:
    document, root = reading.document, reading.root
    return Contract(
        path=document.path,
        kind=ContractKind.OPENAPI,
        version=root.text("openapi"),
        title=root.child("info").text("title"),
        digest=document.digest,
        depends_on=tuple(sorted(reading.documents.references.get(document.path, set()) - {document.path})),
    )
