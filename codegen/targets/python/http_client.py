"""Emits `client.py`: a typed method per operation, and senders of webhooks and callbacks."""

from __future__ import annotations

from collections.abc import Iterable

from codegen.model.services import HttpRole, ParameterPlace
from codegen.targets.files import GeneratedFile
from codegen.targets.python.http_plan import Argument, Pagination, Plan, iterator_name, of_role
from codegen.targets.python.http_servers import default_url, emit_server_urls
from codegen.targets.python.http_spelling import HttpSpelling
from codegen.targets.python.names import snake
from codegen.targets.python.writer import PythonFile, text

_SENDERS = ((HttpRole.WEBHOOK, "WebhookSender", "webhooks"), (HttpRole.CALLBACK, "CallbackSender", "callbacks"))


def emit_client(spelling: HttpSpelling, plans: tuple[Plan, ...]) -> GeneratedFile:
    """The client module."""
    file = spelling.file("client", f"Asynchronous client of {spelling.service.name}.")
    endpoints = of_role(plans, HttpRole.ENDPOINT)
    names = ["Client", "RawClient"] if endpoints else []
    names += [name for role, name, _ in _SENDERS if of_role(plans, role)]
    for name in names:
        file.define(name)
    writer = _Writer(spelling, file)
    writer.imports()
    if endpoints:
        emit_server_urls(file, spelling.service.servers)
        writer.client(endpoints)
        writer.raw_client(endpoints)
    for role, name, what in _SENDERS:
        if of_role(plans, role):
            writer.sender(name, what, of_role(plans, role))
    return GeneratedFile(path=file.path, content=file.render())


class _Writer:
    def __init__(self, spelling: HttpSpelling, file: PythonFile) -> None:
        self._spelling = spelling
        self._file = file

    def imports(self) -> None:
        """Operations name all models, so their module is loaded by the first call."""
        file = self._file
        for name in ("CallOptions", "HttpClient", "HttpResult"):
            self._spelling.runtime(file, "http_client", name)
        lazy = self._spelling.runtime(file, "http_operation", "LazyModule")
        file.ref(self._spelling.package, "operations", typing_only=True)
        with file.block(f"if not {file.ref('typing', 'TYPE_CHECKING')}:"):
            file.line(f"operations = {lazy}({text(self._spelling.package + '.operations')})")

    # -- classes

    def client(self, plans: tuple[Plan, ...]) -> None:
        file = self._file
        file.lines(["", ""])
        with file.block("class Client:"):
            file.docstring(_about(self._spelling))
            file.line()
            self._constructor()
            for plan in plans:
                if plan.unary:
                    self._method(plan)
                if plan.pagination is not None:
                    self._pages(plan, plan.pagination)
                self._streams(plan)
            self._lifetime()

    def raw_client(self, plans: tuple[Plan, ...]) -> None:
        file = self._file
        file.lines(["", ""])
        with file.block("class RawClient:"):
            file.line('"""The same calls; each returns the status and the headers with the value."""')
            file.line()
            with file.block("def __init__(self, http: HttpClient) -> None:"):
                file.line("self._http = http")
            for plan in plans:
                if plan.unary:
                    self._raw_method(plan)

    def sender(self, name: str, what: str, plans: tuple[Plan, ...]) -> None:
        file = self._file
        file.lines(["", ""])
        with file.block(f"class {name}:"):
            file.docstring(f"Sends the {what} of {self._spelling.service.name} to the URLs of their receivers.")
            file.line()
            resilience = self._spelling.runtime(file, "resilience", "Resilience")
            httpx = file.ref("httpx")
            with file.block(
                f"def __init__(self, *, {self._credential_arguments()}resilience: {resilience} | None = "
                f"None, headers: {self._mapping()}[str, str] | None = None, "
                f"http: {httpx}.AsyncClient | None = None) -> None:"
            ):
                file.line(
                    f"self._http = HttpClient(base_url='', schemes={self._scheme_table()}, "
                    f"credentials={self._credential_table()}, resilience=resilience or {resilience}(), "
                    f"user_agent={self._user_agent()}, headers=headers or {{}}, http=http)"
                )
            for plan in plans:
                self._sender_method(plan)
            self._lifetime()

    def _constructor(self) -> None:
        file = self._file
        resilience = self._spelling.runtime(file, "resilience", "Resilience")
        httpx = file.ref("httpx")
        url = default_url(self._spelling.service.servers)
        base = f"base_url: str = {text(url)}" if url is not None else "base_url: str"
        with file.block(
            f"def __init__(self, {base}, *, {self._credential_arguments()}resilience: {resilience} | None = None, "
            f"headers: {self._mapping()}[str, str] | None = None, user_agent: str = {self._user_agent()}, "
            f"max_response_bytes: int = 16 * 1024 * 1024, http: {httpx}.AsyncClient | None = None) -> None:"
        ):
            file.line(
                f"self._http = HttpClient(base_url=base_url, schemes={self._scheme_table()}, "
                f"credentials={self._credential_table()}, resilience=resilience or {resilience}(), "
                "user_agent=user_agent, headers=headers or {}, max_response_bytes=max_response_bytes, http=http)"
            )
            file.line("self.raw = RawClient(self._http)")

    def _mapping(self) -> str:
        return self._file.ref("collections.abc", "Mapping")

    def _user_agent(self) -> str:
        words = "-".join(snake(self._spelling.service.name).split("_"))
        version = self._spelling.service.version or "0"
        return text(f"{words}-client/{''.join(c for c in version if c.isascii() and c.isprintable() and c != ' ')}")

    def _credentials(self) -> list[tuple[str, str]]:
        found: dict[str, str] = {}
        for scheme in self._spelling.service.security_schemes:
            if scheme.kind == "mutualTLS":
                continue
            name = snake(scheme.name)
            if name in ("self", "base_url", "resilience", "headers", "user_agent", "max_response_bytes", "http"):
                name += "_credential"
            found.setdefault(name, scheme.name)
        return [(scheme, name) for name, scheme in found.items()]

    def _credential_arguments(self) -> str:
        found = self._credentials()
        if not found:
            return ""
        credential = self._spelling.runtime(self._file, "http_auth", "Credential")
        return "".join(f"{name}: {credential} | None = None, " for _, name in found)

    def _credential_table(self) -> str:
        found = self._credentials()
        if not found:
            return "{}"
        present = self._spelling.runtime(self._file, "http_auth", "present")
        return f"{present}({{{', '.join(f'{text(scheme)}: {name}' for scheme, name in found)}}})"

    def _scheme_table(self) -> str:
        return "operations.SCHEMES" if self._credentials() else "()"

    def _lifetime(self) -> None:
        file = self._file
        self_type = file.ref("typing", "Self")
        file.line()
        with file.block(f"async def __aenter__(self) -> {self_type}:"):
            file.line("return self")
        file.line()
        with file.block("async def __aexit__(self, *_: object) -> None:"):
            file.line("await self.aclose()")
        file.line()
        with file.block("async def aclose(self) -> None:"):
            file.line('"""Close the connections that this client opened itself."""')
            file.line("await self._http.aclose()")

    # -- methods

    def _method(self, plan: Plan) -> None:
        file = self._file
        file.line()
        self._deprecation(plan)
        with file.block(f"async def {plan.method}({self._signature(plan)}) -> {self._spelling.result(file, plan)}:"):
            file.docstring(about_operation(plan))
            file.line(f"return (await self.raw.{plan.method}({self._forwarded(plan)})).value")

    def _raw_method(self, plan: Plan) -> None:
        file = self._file
        file.line()
        with file.block(
            f"async def {plan.method}({self._signature(plan)}) -> HttpResult[{self._spelling.result(file, plan)}]:"
        ):
            file.line(f"return await self._http.call(operations.{plan.constant}, {self._passed(plan)})")

    def _sender_method(self, plan: Plan) -> None:
        file = self._file
        file.line()
        with file.block(
            f"async def {plan.method}({self._signature(plan, url=True)}) -> {self._spelling.result(file, plan)}:"
        ):
            about = f"Sent to `{plan.binding.path}`." if plan.binding.role is HttpRole.CALLBACK else ""
            file.docstring(f"{about_operation(plan)}\n\n{about}".strip())
            passed = f"operations.{plan.constant}, {self._passed(plan)}, url=url"
            file.line(f"return (await self._http.call({passed})).value")

    def _streams(self, plan: Plan) -> None:
        for wanted, suffix, item, call in (
            (plan.events is not None, "events", "", "stream_events"),
            (plan.binary, "bytes", "bytes", "stream_bytes"),
        ):
            if not wanted:
                continue
            file = self._file
            alone = not plan.unary and not (suffix == "bytes" and plan.events is not None)
            name = plan.method if alone else f"{plan.method.rstrip('_')}_{suffix}"
            shown = item or self._spelling.event(file, plan)
            iterator = file.ref("collections.abc", "AsyncIterator")
            file.line()
            self._deprecation(plan)
            with file.block(f"def {name}({self._signature(plan)}) -> {iterator}[{shown}]:"):
                file.docstring(about_operation(plan))
                called = f"self._http.{call}(operations.{plan.constant}, {self._passed(plan)})"
                if not alone and suffix == "events":
                    called = f"{file.ref('typing', 'cast')}({text(f'{iterator}[{shown}]')}, {called})"
                file.line(f"return {called}")

    def _pages(self, plan: Plan, pages: Pagination) -> None:
        file = self._file
        iterator = file.ref("collections.abc", "AsyncIterator")
        item = self._spelling.shown(file, pages.item)
        page = self._spelling.result(file, plan)
        joined = self._spelling.runtime(file, "http_pages", f"by_{pages.kind}")
        items = f"lambda page: page.{pages.items_attribute}" if pages.items_attribute else "lambda page: page"
        file.line()
        with file.block(f"def {iterator_name(plan)}({self._signature(plan)}) -> {iterator}[{item}]:"):
            file.docstring(f"Every item of all pages of `{plan.method}`, asked for as needed.")
            if pages.kind == "link":
                file.line(
                    f"return {joined}(lambda: self.raw.{plan.method}({self._forwarded(plan)}), "
                    f"lambda link, previous: self._http.follow(operations.{plan.constant}, link, previous, "
                    f"options=options), {items})"
                )
                return
            callable_ = file.ref("collections.abc", "Callable")
            awaitable = file.ref("collections.abc", "Awaitable")
            partial = file.ref("functools", "partial")
            kept = self._forwarded(plan, without=pages.argument)
            file.line(f"fetch: {callable_}[..., {awaitable}[{page}]] = {partial}(self.{plan.method}, {kept})")
            token = f"lambda page: page.{pages.token_attribute}, " if pages.kind == "token" else ""
            file.line(f"return {joined}(fetch, {text(pages.argument)}, {token}{items}, {pages.argument})")

    def _deprecation(self, plan: Plan) -> None:
        if plan.operation.deprecated:
            deprecated = self._file.ref("typing_extensions", "deprecated")
            self._file.line(f"@{deprecated}({text(f'{plan.operation.name} is deprecated.')})")

    # -- arguments

    def _signature(self, plan: Plan, *, url: bool = False) -> str:
        positional = ["self", *(["url: str"] if url else [])]
        positional += [self._argument(a) for a in plan.arguments if a.parameter.place is ParameterPlace.PATH]
        keywords = [self._argument(a) for a in _after_path(plan) if a.parameter.required and not a.is_key]
        keywords += [self._argument(a) for a in _after_path(plan) if not (a.parameter.required and not a.is_key)]
        if plan.body is not None:
            shown = self._spelling.body(self._file, plan.body)
            if plan.body.required:
                positional.append(f"body: {shown}")
            else:
                keywords.append(f"body: {self._spelling.types.either([shown, 'None'], self._file)} = None")
            if len(plan.body.content) > 1:
                kinds = ", ".join(text(media.name) for media in plan.body.content)
                keywords.append(
                    f"content_type: {self._file.ref('typing', 'Literal')}[{kinds}] = {text(plan.body.content[0].name)}"
                )
        keywords.append("options: CallOptions | None = None")
        return ", ".join([*positional, "*", *keywords])

    def _argument(self, argument: Argument) -> str:
        shown = self._spelling.argument(self._file, argument)
        if argument.parameter.required and not argument.is_key:
            return f"{argument.name}: {shown}"
        return f"{argument.name}: {self._spelling.types.either([shown, 'None'], self._file)} = None"

    def _forwarded(self, plan: Plan, without: str = "") -> str:
        """The arguments of the method, passed on to one with the same signature."""
        passed = [a.name for a in plan.arguments if a.parameter.place is ParameterPlace.PATH]
        if plan.body is not None and plan.body.required:
            passed.append("body")
        passed += [f"{a.name}={a.name}" for a in _after_path(plan) if a.name != without]
        if plan.body is not None:
            passed += [] if plan.body.required else ["body=body"]
            passed += ["content_type=content_type"] if len(plan.body.content) > 1 else []
        return ", ".join([*passed, "options=options"])

    def _passed(self, plan: Plan) -> str:
        """The arguments of the method, for the runtime."""
        parts = [f"{{{', '.join(f'{text(a.name)}: {a.name}' for a in plan.arguments)}}}"]
        if plan.body is not None:
            parts.append("body")
            if len(plan.body.content) > 1:
                parts.append("content_type=content_type")
        return ", ".join([*parts, "options=options"])


def _after_path(plan: Plan) -> Iterable[Argument]:
    return [a for a in plan.arguments if a.parameter.place is not ParameterPlace.PATH]


def _about(spelling: HttpSpelling) -> str:
    service = spelling.service
    usage = "Use it as an asynchronous context manager, or close it with `aclose`."
    return "\n\n".join(part for part in (f"{service.name} {service.version}".strip(), service.doc, usage) if part)


def about_operation(plan: Plan) -> str:
    """The docstring of an operation's method."""
    operation = plan.operation
    parts = [operation.summary, operation.doc if operation.doc != operation.summary else ""]
    documented = [f"    {a.name}: {' '.join(a.parameter.doc.split())}" for a in plan.arguments if a.parameter.doc]
    if documented:
        parts.append("\n".join(["Args:", *documented]))
    text_found = "\n\n".join(part for part in parts if part)
    return text_found or f"{plan.binding.method} {plan.binding.path}"
