"""AsyncAPI 2.x and 3.x documents become channels, messages and operations of the graph."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from codegen.diagnostics import Diagnostics
from codegen.load.asyncapi import load_asyncapi
from codegen.load.documents import Documents
from codegen.load.schemas import SchemaReader
from codegen.model.events import Action, Channel, ChannelParameter, EventOperation, Message, Retry
from codegen.model.graph import Fragment
from codegen.model.services import SecurityUse
from codegen.model.types import Record, Reference


class Loaded:
    """One folder of documents; `fragment(path)` is what one says."""

    def __init__(self, folder: Path, files: Mapping[str, str] | str) -> None:
        if isinstance(files, str):
            files = {"asyncapi.yaml": files}
        for path, text in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(textwrap.dedent(text))
        self.diagnostics = Diagnostics()
        self._documents = Documents(folder, self.diagnostics)
        self.schemas = SchemaReader(self._documents, self.diagnostics)

    def fragment(self, path: str = "asyncapi.yaml") -> Fragment:
        document = self._documents.load(path)
        assert document is not None, list(self.diagnostics)
        return load_asyncapi(document, self._documents, self.schemas, self.diagnostics)

    def names(self, type_: Any) -> tuple[str, ...]:
        """The name of the record that a type refers to."""
        assert isinstance(type_, Reference), type_
        declared = self.schemas.finish()[type_.target]
        assert isinstance(declared, Record)
        return declared.name

    @property
    def rules(self) -> list[str]:
        return [found.rule for found in self.diagnostics]


def channel(fragment: Fragment, name: str) -> Channel:
    return next(found for found in fragment.channels if found.name == name)


def message(fragment: Fragment, name: str) -> Message:
    return next(found for found in fragment.messages if found.name == name)


def operation(fragment: Fragment, name: str) -> EventOperation:
    return next(found for found in fragment.event_operations if found.name == name)


ORDERS = """
asyncapi: 3.0.0
info: {title: Orders, version: '2'}
x-service: order
defaultContentType: application/json
servers:
  redis: {host: 'redis:6379', pathname: /0, protocol: redis}
channels:
  created:
    address: orders/{region}
    parameters:
      region: {enum: [eu, us], default: eu, location: $message.payload#/region}
    messages:
      orderCreated: {$ref: '#/components/messages/OrderCreated'}
    servers: [{$ref: '#/servers/redis'}]
    tags: [{name: hot}]
    bindings: {redis: {a: 1}}
    x-retry: {max_attempts: 4, initial_delay: PT0.5S, max_delay: PT1M30S, backoff: 3}
    x-ordering-key: $message.payload#/id
    x-dead-letter: dead
  dead: {address: orders-dead}
operations:
  publishCreated:
    action: send
    channel: {$ref: '#/channels/created'}
    summary: Says so.
    security: [{$ref: '#/components/securitySchemes/sasl'}]
  onCreated:
    action: receive
    channel: {$ref: '#/channels/created'}
    messages: [{$ref: '#/channels/created/messages/orderCreated'}]
    x-service: billing
    x-consumer-group: billing-1
components:
  securitySchemes: {sasl: {type: scramSha256, scopes: [write]}}
  messages:
    OrderCreated:
      correlationId: {location: $message.header#/trace}
      headers: {type: object, properties: {trace: {type: string}}}
      payload: {type: object, properties: {id: {type: string}, region: {type: string}}}
      examples: [{name: one, payload: {id: a}}]
"""


def test_a_3_0_document_gives_channels_messages_and_operations(tmp_path: Path) -> None:
    loaded = Loaded(tmp_path, ORDERS)
    fragment = loaded.fragment()
    assert loaded.rules == []
    created = channel(fragment, "created")
    assert created.parameters == (
        ChannelParameter(
            name="region", values=("eu", "us"), default="eu", location_expression="$message.payload#/region"
        ),
    )
    assert created.retry == Retry(max_attempts=4, initial_delay=0.5, max_delay=90.0, multiplier=3.0)
    assert created.dead_letter == channel(fragment, "dead").id == "asyncapi.yaml#/channels/dead"
    assert (created.ordering_key, created.servers, created.tags) == ("$message.payload#/id", ("redis",), ("hot",))
    sent, received = operation(fragment, "publishCreated"), operation(fragment, "onCreated")
    assert (sent.action, sent.service, sent.security) == (
        Action.SEND,
        "order",
        (SecurityUse(scheme="sasl", scopes=("write",)),),
    )
    assert (received.action, received.service, received.consumer_group) == (Action.RECEIVE, "billing", "billing-1")
    assert sent.messages == received.messages == ("asyncapi.yaml#/components/messages/OrderCreated",)
    [application] = fragment.applications
    assert (application.name, application.servers[0].url) == ("Orders", "redis:6379/0")


def test_inline_payload_and_headers_are_named_by_their_message(tmp_path: Path) -> None:
    loaded = Loaded(tmp_path, ORDERS)
    found = message(loaded.fragment(), "OrderCreated")
    assert loaded.names(found.payload) == ("OrderCreated",)
    assert loaded.names(found.headers) == ("OrderCreated", "headers")
    assert found.content_type == "application/json"
    assert found.examples[0].payload == {"id": "a"}


def test_an_inline_payload_makes_way_for_a_schema_of_the_same_name(tmp_path: Path) -> None:
    loaded = Loaded(
        tmp_path,
        """
        asyncapi: 3.0.0
        info: {title: t, version: '1'}
        channels:
          a:
            address: a
            messages:
              order_created: {payload: {type: object, properties: {a: {}}}}
              same: {payload: {type: object, properties: {a: {}}}}
          b: {address: b, messages: {same: {payload: {type: object, properties: {a: {}}}}}}
        components:
          schemas: {OrderCreated: {type: object}}
        """,
    )
    fragment = loaded.fragment()
    assert [loaded.names(found.payload) for found in fragment.messages] == [
        ("a", "order_created", "payload"),
        ("a", "same", "payload"),
        ("b", "same", "payload"),
    ]


def test_one_definition_that_two_documents_refer_to_is_one_message_and_one_channel(tmp_path: Path) -> None:
    document = """
        asyncapi: 3.0.0
        info: {title: t, version: '1'}
        channels: {orders: {$ref: '../shared.yaml#/channels/orders'}}
        operations:
          %s:
            action: %s
            channel: {$ref: '#/channels/orders'}
            messages: [{$ref: '#/channels/orders/messages/created'}]
        """
    loaded = Loaded(
        tmp_path,
        {
            "a/asyncapi.yaml": document % ("sendIt", "send"),
            "b/asyncapi.yaml": document % ("getIt", "receive"),
            "shared.yaml": """
            channels: {orders: {address: orders, messages: {created: {$ref: '#/messages/Created'}}}}
            messages: {Created: {payload: {type: object}}}
            """,
        },
    )
    one, two = loaded.fragment("a/asyncapi.yaml"), loaded.fragment("b/asyncapi.yaml")
    assert loaded.rules == []
    assert one.channels == two.channels
    assert one.messages == two.messages
    assert one.messages[0].id == "shared.yaml#/messages/Created"
    assert one.event_operations[0].messages == (one.messages[0].id,)
    assert one.contract.depends_on == ("shared.yaml",)


def test_traits_of_3_0_fill_gaps_and_never_override(tmp_path: Path) -> None:
    loaded = Loaded(
        tmp_path,
        """
        asyncapi: 3.0.0
        info: {title: t, version: '1'}
        channels: {a: {address: a, messages: {m: {$ref: '#/components/messages/m'}}}}
        operations:
          op:
            action: send
            channel: {$ref: '#/channels/a'}
            summary: own
            traits: [{$ref: '#/components/operationTraits/t'}]
        components:
          operationTraits: {t: {summary: trait, description: trait, x-consumer-group: g}}
          messageTraits:
            one: {contentType: text/plain, headers: {type: object, properties: {a: {type: string}}}}
            two: {contentType: application/xml, description: second}
          messages:
            m:
              description: own
              traits: [{$ref: '#/components/messageTraits/one'}, {$ref: '#/components/messageTraits/two'}]
              headers: {type: object, properties: {b: {type: string}}}
              payload: {type: string}
        """,
    )
    fragment = loaded.fragment()
    found, op = message(fragment, "m"), operation(fragment, "op")
    assert (op.summary, op.doc, op.consumer_group) == ("own", "trait", "g")
    assert (found.doc, found.content_type) == ("own", "application/xml")
    assert isinstance(found.headers, Reference)
    headers = loaded.schemas.finish()[found.headers.target]
    assert isinstance(headers, Record)
    assert [field.name for field in headers.fields] == ["a", "b"]


V2 = """
asyncapi: 2.6.0
info: {title: Lights, version: '1'}
servers:
  prod: {url: 'mqtt://broker:1883/base', protocol: mqtt}
defaultContentType: application/json
channels:
  lights/{id}/measured:
    parameters:
      id: {schema: {type: string, enum: [a, b], default: a}, location: $message.payload#/id}
    servers: [prod]
    publish:
      operationId: receiveMeasured
      traits: [{$ref: '#/components/operationTraits/t'}]
      summary: own
      message:
        oneOf:
          - {$ref: '#/components/messages/lightMeasured'}
          - {name: lightFailed, payload: {type: object}}
    subscribe:
      message: {$ref: '#/components/messages/turnOn'}
      security: [{sasl: []}]
components:
  operationTraits: {t: {summary: trait, description: trait}}
  messages:
    lightMeasured: {payload: {$ref: '#/components/schemas/Lumen'}}
    turnOn: {schemaFormat: application/vnd.apache.avro;version=1.9.0, payload: {type: record}}
  schemas: {Lumen: {type: object, properties: {lumens: {type: integer}}}}
"""


def test_a_2_6_document_is_turned_round_and_mapped_to_3_0(tmp_path: Path) -> None:
    loaded = Loaded(tmp_path, V2)
    fragment = loaded.fragment()
    [lights] = fragment.channels
    received, sent = fragment.event_operations
    assert (received.name, received.action, sent.action) == ("receiveMeasured", Action.RECEIVE, Action.SEND)
    assert sent.name == "send_lights/{id}/measured"
    assert lights.address == "lights/{id}/measured"
    assert lights.parameters == (
        ChannelParameter(name="id", values=("a", "b"), default="a", location_expression="$message.payload#/id"),
    )
    assert [name for name, _ in lights.messages] == ["lightMeasured", "lightFailed", "turnOn"]
    assert len(received.messages) == 2
    assert fragment.applications[0].servers[0].url == "broker:1883/base"
    assert sent.security == (SecurityUse(scheme="sasl"),)


def test_traits_of_2_6_override_as_json_merge_patches(tmp_path: Path) -> None:
    received = operation(Loaded(tmp_path, V2).fragment(), "receiveMeasured")
    assert (received.summary, received.doc) == ("trait", "trait")


def test_a_payload_in_another_schema_language_is_reported_and_the_message_kept(tmp_path: Path) -> None:
    loaded = Loaded(tmp_path, V2)
    found = message(loaded.fragment(), "turnOn")
    assert found.payload is None
    assert found.schema_format == "application/vnd.apache.avro;version=1.9.0"
    [complaint] = loaded.diagnostics
    assert (complaint.rule, complaint.location.line > 0) == ("asyncapi/schema-format", True)


@pytest.mark.parametrize(
    ("schema_format", "readable"),
    [
        ("application/schema+json;version=draft-07", True),
        ("application/vnd.aai.asyncapi+yaml;version=3.0.0", True),
        ("application/vnd.oai.openapi;version=3.0.0", True),
        ("application/vnd.google.protobuf;version=3", False),
        ("application/raml+yaml;version=1.0", False),
    ],
)
def test_multi_format_schemas_are_read_when_they_are_json_schema(
    tmp_path: Path, schema_format: str, readable: bool
) -> None:
    loaded = Loaded(
        tmp_path,
        f"""
        asyncapi: 3.0.0
        info: {{title: t, version: '1'}}
        channels:
          a:
            address: a
            messages:
              m: {{payload: {{schemaFormat: '{schema_format}', schema: {{type: object}}}}}}
        """,
    )
    found = message(loaded.fragment(), "m")
    assert (found.payload is not None) is readable
    assert loaded.rules == ([] if readable else ["asyncapi/schema-format"])


def test_reply_has_its_channel_messages_and_address(tmp_path: Path) -> None:
    loaded = Loaded(
        tmp_path,
        """
        asyncapi: 3.1.0
        info: {title: t, version: '1'}
        channels:
          ask: {address: ask, messages: {q: {payload: {type: string}}}}
          answer: {address: null, messages: {r: {payload: {type: string}}}}
        operations:
          ask:
            action: send
            channel: {$ref: '#/channels/ask'}
            reply:
              address: {location: $message.header#/reply_to}
              channel: {$ref: '#/channels/answer'}
        """,
    )
    fragment = loaded.fragment()
    reply = operation(fragment, "ask").reply
    assert reply is not None
    assert channel(fragment, "answer").address is None
    assert (reply.channel, reply.address_expression) == (channel(fragment, "answer").id, "$message.header#/reply_to")
    assert reply.messages == (message(fragment, "r").id,)


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (("asyncapi: 3.0.0", "asyncapi: 4.0.0"), "asyncapi/version"),
        (("asyncapi: 3.0.0", "asyncapi: 1.2.0"), "asyncapi/version"),
        (("action: send", "action: publish"), "asyncapi/action"),
        (("summary: Says so.", "sumary: Says so."), "asyncapi/unknown-field"),
        (("x-dead-letter: dead", "x-dead-letter: ded"), "asyncapi/dead-letter"),
        (("x-dead-letter: dead", "x-dead-letter: '#/channels/created'"), "asyncapi/dead-letter"),
        (("PT0.5S", "soon"), "asyncapi/duration"),
        (("max_attempts: 4", "max_attempts: none"), "asyncapi/retry"),
        (("location: $message.header#/trace", "location: $msg.header#/trace"), "asyncapi/expression"),
        (("x-ordering-key: $message.payload#/id", "x-ordering-key: id"), "asyncapi/expression"),
        (("address: orders/{region}", "address: orders/{zone}"), "asyncapi/address-parameter"),
        (("#/channels/created/messages/orderCreated", "#/components/messages/Other"), "asyncapi/foreign-message"),
        (("#/channels/created/messages/orderCreated", "#/channels/created/messages/x"), "document/missing-ref"),
        (("    channel: {$ref: '#/channels/created'}\n    summary", "    summary"), "asyncapi/missing-field"),
        (("info: {title: Orders, version: '2'}", "info: {version: '2'}"), "asyncapi/missing-field"),
        (("components:\n", "components:\n  schemas: true\n  replies: [a]\n"), "asyncapi/bad-value"),
    ],
)
def test_a_mistake_is_reported_where_it_stands(tmp_path: Path, change: tuple[str, str], rule: str) -> None:
    text = ORDERS.replace("components:\n", "components:\n", 1).replace(
        "  messages:\n    OrderCreated:", "  messages:\n    Other: {}\n    OrderCreated:"
    )
    assert change[0] in text
    loaded = Loaded(tmp_path, text.replace(*change, 1))
    loaded.fragment()
    assert rule in loaded.rules
    assert all(found.location.line > 0 for found in loaded.diagnostics)


def test_one_bad_operation_does_not_stop_the_rest(tmp_path: Path) -> None:
    fragment = Loaded(tmp_path, ORDERS.replace("action: send", "action: shout")).fragment()
    assert [found.name for found in fragment.event_operations] == ["onCreated"]


def test_a_payload_in_another_schema_language_may_refer_to_a_file_that_is_not_there(tmp_path: Path) -> None:
    loaded = Loaded(
        tmp_path,
        """
        asyncapi: 2.2.0
        info: {title: Avro, version: '1'}
        channels:
          a:
            publish:
              message: {name: A, schemaFormat: 'application/vnd.apache.avro;version=1.9.0', payload: {$ref: a.avsc}}
        """,
    )
    (found,) = loaded.fragment().messages
    assert (found.payload, found.schema_format) == (None, "application/vnd.apache.avro;version=1.9.0")
    assert loaded.rules == ["asyncapi/schema-format"]


def test_a_2_x_definition_under_two_addresses_is_a_channel_for_each(tmp_path: Path) -> None:
    loaded = Loaded(
        tmp_path,
        """
        asyncapi: 2.6.0
        info: {title: Twice, version: '1'}
        channels:
          one: {$ref: '#/components/channels/c'}
          two: {$ref: '#/components/channels/c'}
        components: {channels: {c: {subscribe: {operationId: tell, message: {payload: {type: integer}}}}}}
        """,
    )
    fragment = loaded.fragment()
    assert loaded.rules == []
    addresses = {found.id: found.address for found in fragment.channels}
    assert [(found.name, addresses[found.channel]) for found in fragment.event_operations] == [
        ("tell", "one"),
        ("tell two", "two"),
    ]
    assert len({found.id for found in fragment.event_operations}) == 2


def test_a_message_under_two_keys_of_a_channel_is_sent_once(tmp_path: Path) -> None:
    loaded = Loaded(
        tmp_path,
        """
        asyncapi: 3.0.0
        info: {title: Twice, version: '1'}
        channels:
          c: {address: c, messages: {a: {$ref: '#/components/messages/m'}, b: {$ref: '#/components/messages/m'}}}
        operations: {tell: {action: send, channel: {$ref: '#/channels/c'}}}
        components: {messages: {m: {payload: {type: integer}}}}
        """,
    )
    assert [len(found.messages) for found in loaded.fragment().event_operations] == [1]
