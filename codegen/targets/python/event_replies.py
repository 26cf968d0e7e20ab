"""What a handler may answer: the replies that can be told apart by their Python class, and how each is encoded."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from codegen.model.events import EventOperation
from codegen.model.types import Alias, ListOf, MapOf, Primitive, Record, Reference, Scalar, Type, Union
from codegen.targets.python.constraints import TEXT
from codegen.targets.python.event_messages import OCTETS, Form, MessageView, Modules, union
from codegen.targets.python.writer import PythonFile, text

_CLASSES = {
    Primitive.BOOLEAN: ("bool",),
    Primitive.INTEGER: ("int",),
    Primitive.INT32: ("int",),
    Primitive.INT64: ("int",),
    Primitive.UINT32: ("int",),
    Primitive.UINT64: ("int",),
    Primitive.FLOAT: ("int", "float"),
    Primitive.DOUBLE: ("int", "float"),
    Primitive.NUMBER: ("int", "float"),
    **dict.fromkeys(TEXT, ("str",)),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    view: MessageView
    classes: tuple[str, ...] | None
    """None: only known by being none of the others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """The replies of one operation that receives. `type` is what its handler returns."""

    answers: tuple[_Answer, ...]
    type: str

    @property
    def replies(self) -> tuple[MessageView, ...]:
        """The messages."""
        return tuple(each.view for each in self.answers)

    def emit_encoder(self, modules: Modules, file: PythonFile) -> None:
        """A local function `encode` that turns an answer into its message."""
        outgoing = file.ref(modules.runtime("publishing"), "outgoing")
        published = file.ref(modules.runtime("transport"), "PublishedMessage")
        file.line()
        with file.block(f"def encode(reply: {self.type}) -> {published}:"):
            for each in self.answers[:-1]:
                classes = each.classes or ()
                test = classes[0] if len(classes) == 1 else f"({', '.join(classes)})"
                with file.block(f"if isinstance(reply, {test}):"):
                    file.line(f"return {_message(each.view, modules, file, outgoing)}")
            if self.answers:
                file.line(f"return {_message(self.answers[-1].view, modules, file, outgoing)}")
            else:
                file.line(f"return {outgoing}(reply, {text(OCTETS)})")
        file.line()


def _message(view: MessageView, modules: Modules, file: PythonFile, outgoing: str) -> str:
    return f"{outgoing}({modules.encoded(view, 'reply', file)}, {text(view.content_type)}, name={text(view.name)})"


def answers_of(operation: EventOperation, modules: Modules, file: PythonFile) -> Answers:
    """The replies in the order in which their classes are asked for; those that look like another are reported."""
    views = modules.reply_views(operation.reply) if operation.reply is not None else ()
    found = [_Answer(view=view, classes=_classes(view, modules, file)) for view in views]
    kept: list[_Answer] = []
    for answer in found:
        rival = next((each for each in kept if len(found) > 1 and _alike(each, answer)), None)
        if rival is None:
            kept.append(answer)
            continue
        modules.diagnostics.unsupported(
            "python/reply-messages",
            f"`{operation.name}` cannot answer with `{answer.view.name}`: in Python it looks like `{rival.view.name}`",
            operation.location,
            hint="describe one reply whose payload is a oneOf of both",
        )
    kept.sort(key=lambda each: (each.classes is None, each.classes != ("bool",)))
    types = union(modules.payload_type(each.view, file) for each in kept)
    return Answers(answers=tuple(kept), type=types or "bytes")


def _alike(one: _Answer, other: _Answer) -> bool:
    if one.classes is None or other.classes is None:
        return one.classes is other.classes
    return bool(set(one.classes) & set(other.classes))


def _classes(view: MessageView, modules: Modules, file: PythonFile) -> tuple[str, ...] | None:
    if view.form is Form.BYTES or view.message.payload is None:
        return ("bytes",)
    return ("str",) if view.form is Form.TEXT else _classes_of(view.message.payload, modules, file)


def _classes_of(type_: Type, modules: Modules, file: PythonFile) -> tuple[str, ...] | None:
    match type_:
        case Reference():
            return _classes_of_reference(type_, modules, file)
        case ListOf():
            return ("list",)
        case MapOf():
            return ("dict",)
        case Scalar():
            return _CLASSES.get(type_.primitive)
        case _:
            return None


def _classes_of_reference(type_: Reference, modules: Modules, file: PythonFile) -> tuple[str, ...] | None:
    declared = modules.graph.declarations[type_.target]
    if isinstance(declared, Record):
        return (modules.spelling.plain(type_, file),)
    if isinstance(declared, Alias):
        return _classes_of(declared.type, modules, file)
    if isinstance(declared, Union) and declared.discriminator is None:
        return _joined(_classes_of(variant, modules, file) for variant in declared.variants)
    return None


def _joined(parts: Iterable[tuple[str, ...] | None]) -> tuple[str, ...] | None:
    found: dict[str, None] = {}
    for part in parts:
        if part is None:
            return None
        found.update(dict.fromkeys(part))
    return tuple(found)
