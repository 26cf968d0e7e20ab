"""Base URLs of generated clients, from the `servers` of the contract."""

from __future__ import annotations

import re
from collections.abc import Iterable

from codegen.model.services import Server, ServerVariable
from codegen.targets.python.names import snake
from codegen.targets.python.writer import PythonFile, text

_VARIABLE = re.compile(r"\{([^{}]*)\}")


def resolved_url(server: Server) -> str:
    """The URL with the defaults of its variables."""
    values = {variable.name: variable.default or "" for variable in server.variables}
    return _VARIABLE.sub(lambda match: values.get(match.group(1), match.group()), server.url)


def default_url(servers: Iterable[Server]) -> str | None:
    """The first absolute URL; None when callers have to say where the service is."""
    return next((url for url in map(resolved_url, servers) if "://" in url), None)


def emit_server_urls(file: PythonFile, servers: tuple[Server, ...]) -> None:
    """`SERVERS`, and a function for every URL with variables."""
    if not servers:
        return
    file.line()
    final = file.ref("typing", "Final")
    urls = ", ".join(text(resolved_url(server)) for server in servers)
    file.line(f"{file.define('SERVERS')}: {final} = ({urls},)")
    file.line('"""The base URLs that the contract lists, with the defaults of their variables."""')
    templated = [server for server in servers if _variables(server)]
    for position, server in enumerate(templated):
        name = "server_url" if position == 0 else f"server_url_{snake(server.name)}"
        file.lines(["", ""])
        arguments = ", ".join(
            f"{snake(v.name)}: {_type(file, v)} = {text(v.default or '')}" for v in _variables(server)
        )
        with file.block(f"def {file.define(name)}(*, {arguments}) -> str:"):
            file.docstring(server.doc or f"The base URL {server.url}, with its variables filled in.")
            filled = _VARIABLE.sub(lambda match: f"{{{snake(match.group(1))}}}", _escaped(server.url))
            file.line(f"return f{text(filled)}")


def _variables(server: Server) -> list[ServerVariable]:
    used = _VARIABLE.findall(server.url)
    return [variable for variable in server.variables if variable.name in used]


def _escaped(url: str) -> str:
    """Braces that hold no variable are doubled; there are none by the grammar of URL templates."""
    return (
        url
        if _VARIABLE.sub("", url).count("{") == 0 and _VARIABLE.sub("", url).count("}") == 0
        else (url.replace("{", "{{").replace("}", "}}"))
    )


def _type(file: PythonFile, variable: ServerVariable) -> str:
    if not variable.values:
        return "str"
    return f"{file.ref('typing', 'Literal')}[{', '.join(text(value) for value in variable.values)}]"
