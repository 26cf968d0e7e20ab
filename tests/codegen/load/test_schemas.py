"""JSON Schema, as OpenAPI and AsyncAPI use it, becomes types and declarations of the graph."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

import pytest

from codegen.diagnostics import Diagnostics
from codegen.load.documents import Documents
from codegen.load.schemas import SchemaReader
from codegen.model.types import (
    ANY,
    Alias,
    Constant,
    Declaration,
    Enum,
    ListOf,
    MapOf,
    Nullable,
    Primitive,
    Record,
    Reference,
    Scalar,
    TupleOf,
    Type,
    Union,
)


class Schemas:
    """The declarations of one document's `components/schemas`."""

    def __init__(self, folder: Path, text: str, version: str = "3.1.0") -> None:
        (folder / "a.yaml").write_text(
            f"openapi: {version}\ncomponents:\n  schemas:\n" + textwrap.indent(textwrap.dedent(text), "    ")
        )
        self.diagnostics = Diagnostics()
        documents = Documents(folder, self.diagnostics)
        document = documents.load("a.yaml")
        assert document is not None, list(self.diagnostics)
        reader = SchemaReader(documents, self.diagnostics)
        for key, node in documents.root_node(document).child("components", "schemas").members():
            reader.type_of(node, (key,))
        self.declarations = reader.finish()

    def __getitem__(self, name: str) -> Declaration:
        return next(d for d in self.declarations.values() if d.name == (name,))

    def record(self, name: str) -> Record:
        found = self[name]
        assert isinstance(found, Record), found
        return found

    def alias(self, name: str) -> Type:
        found = self[name]
        assert isinstance(found, Alias), found
        return found.type

    def field(self, record: str, name: str) -> Any:
        return next(f for f in self.record(record).fields if f.name == name)

    def target(self, found: Type) -> Declaration:
        assert isinstance(found, Reference), found
        return self.declarations[found.target]

    @property
    def rules(self) -> list[str]:
        return [d.rule for d in self.diagnostics]


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ("{type: string, format: date-time}", Primitive.DATE_TIME),
        ("{type: number, format: decimal}", Primitive.DECIMAL_NUMBER),
        ("{type: string, format: decimal}", Primitive.DECIMAL_STRING),
        ("{type: string, format: byte}", Primitive.BYTES),
        ("{type: string, contentEncoding: base64}", Primitive.BYTES),
        ("{type: string, format: binary}", Primitive.BINARY),
        ("{type: integer, format: int64}", Primitive.INT64),
        ("{type: integer}", Primitive.INTEGER),
        ("{type: number}", Primitive.NUMBER),
        ("{format: uuid}", Primitive.UUID),
        ("{pattern: '^a'}", Primitive.STRING),
        ("{description: anything}", Primitive.ANY),
        ("true", Primitive.ANY),
        ("false", Primitive.NEVER),
    ],
)
def test_scalars_are_told_apart_by_type_and_format(tmp_path: Path, schema: str, expected: Primitive) -> None:
    found = Schemas(tmp_path, f"A: {schema}").alias("A")
    assert isinstance(found, Scalar)
    assert found.primitive is expected


@pytest.mark.parametrize(
    ("version", "schema"),
    [
        ("3.0.3", "{type: string, nullable: true}"),
        ("3.1.0", "{type: [string, 'null']}"),
        ("3.1.0", "{oneOf: [{type: string}, {type: 'null'}]}"),
        ("3.1.0", "{anyOf: [{type: 'null'}, {type: string}]}"),
    ],
)
def test_both_spellings_of_nullable_mean_the_same(tmp_path: Path, version: str, schema: str) -> None:
    found = Schemas(tmp_path, f"A: {schema}", version).alias("A")
    assert found == Nullable(inner=Scalar(primitive=Primitive.STRING))


def test_a_nullable_reference_of_3_0_is_the_reference_or_null(tmp_path: Path) -> None:
    schemas = Schemas(
        tmp_path,
        """
        A: {type: object, properties: {b: {allOf: [{$ref: '#/components/schemas/B'}], nullable: true}}}
        B: {type: object, properties: {c: {type: string}}}
        """,
        "3.0.3",
    )
    found = schemas.field("A", "b").type
    assert isinstance(found, Nullable)
    assert schemas.target(found.inner) is schemas["B"]


def test_siblings_of_ref_count_in_3_1_and_not_in_3_0(tmp_path: Path) -> None:
    text = """
        A: {type: object, properties: {b: {$ref: '#/components/schemas/B', maxLength: 3}}}
        B: {type: string, minLength: 1}
        """
    new = Schemas(tmp_path, text).field("A", "b").type
    assert (new.constraints.min_length, new.constraints.max_length) == (1, 3)
    old = Schemas(tmp_path, text, "3.0.0").field("A", "b").type
    assert isinstance(old, Reference)


def test_boolean_exclusive_bounds_of_3_0_become_numbers(tmp_path: Path) -> None:
    found = Schemas(tmp_path, "A: {type: integer, minimum: 3, exclusiveMinimum: true}", "3.0.0").alias("A")
    assert isinstance(found, Scalar)
    assert found.constraints.exclusive_minimum == 3


def test_all_of_merges_fields_requirements_and_the_tightest_bounds(tmp_path: Path) -> None:
    schemas = Schemas(
        tmp_path,
        """
        Base: {type: object, required: [id], properties: {id: {type: string, maxLength: 9}, at: {type: string}}}
        A:
          allOf:
            - $ref: '#/components/schemas/Base'
            - {type: object, required: [at], properties: {id: {type: string, maxLength: 5}, own: {type: integer}}}
        """,
    )
    record = schemas.record("A")
    assert [(f.name, f.required) for f in record.fields] == [("id", True), ("at", True), ("own", False)]
    assert schemas.field("A", "id").type.constraints.max_length == 5
    assert record.bases == (schemas["Base"].id,)


def test_inline_objects_and_enumerations_are_named_after_where_they_stand(tmp_path: Path) -> None:
    schemas = Schemas(
        tmp_path,
        """
        Order:
          type: object
          properties:
            lines: {type: array, items: {type: object, properties: {kind: {enum: [a, b]}}}}
        """,
    )
    assert {d.name for d in schemas.declarations.values()} == {
        ("Order",),
        ("Order", "lines", "item"),
        ("Order", "lines", "item", "kind"),
    }


def test_additional_properties_are_open_typed_or_forbidden(tmp_path: Path) -> None:
    schemas = Schemas(
        tmp_path,
        """
        Open: {type: object, properties: {a: {type: string}}}
        Typed: {type: object, properties: {a: {type: string}}, additionalProperties: {type: integer}}
        Closed: {type: object, properties: {a: {type: string}}, additionalProperties: false}
        Map: {type: object, additionalProperties: {type: integer}}
        Free: {type: object}
        """,
    )
    assert schemas.record("Open").additional == ANY
    assert schemas.record("Typed").additional == Scalar(primitive=Primitive.INTEGER)
    assert schemas.record("Closed").additional is None
    assert isinstance(schemas.alias("Map"), MapOf)
    assert schemas.alias("Free") == MapOf(key=Scalar(primitive=Primitive.STRING), value=ANY)


def test_tuples_have_a_type_per_position(tmp_path: Path) -> None:
    schemas = Schemas(
        tmp_path,
        """
        Pair: {type: array, prefixItems: [{type: string}, {type: integer}], items: false}
        More: {type: array, prefixItems: [{type: string}], items: {type: boolean}}
        """,
    )
    pair, more = schemas.alias("Pair"), schemas.alias("More")
    assert isinstance(pair, TupleOf) and pair.rest is None and len(pair.items) == 2
    assert isinstance(more, TupleOf) and more.rest == Scalar(primitive=Primitive.BOOLEAN)


def test_recursive_types_end(tmp_path: Path) -> None:
    schemas = Schemas(
        tmp_path,
        """
        Tree: {type: object, properties: {children: {type: array, items: {$ref: '#/components/schemas/Tree'}}}}
        Ping: {type: object, properties: {pong: {$ref: '#/components/schemas/Pong'}}}
        Pong: {type: object, properties: {ping: {$ref: '#/components/schemas/Ping'}}}
        """,
    )
    children = schemas.field("Tree", "children").type
    assert isinstance(children, ListOf) and schemas.target(children.item) is schemas["Tree"]
    assert not schemas.rules


def test_a_discriminator_maps_explicit_and_implicit_names(tmp_path: Path) -> None:
    schemas = Schemas(
        tmp_path,
        """
        Pet:
          oneOf: [{$ref: '#/components/schemas/Cat'}, {$ref: '#/components/schemas/Dog'}]
          discriminator: {propertyName: kind, mapping: {feline: '#/components/schemas/Cat'}}
        Cat: {type: object, required: [kind], properties: {kind: {type: string}}}
        Dog: {type: object, required: [kind], properties: {kind: {type: string}}}
        """,
    )
    union = schemas["Pet"]
    assert isinstance(union, Union) and union.discriminator is not None
    assert dict(union.discriminator.mapping) == {"feline": schemas["Cat"].id, "Dog": schemas["Dog"].id}


def test_a_discriminator_is_inferred_from_required_constants(tmp_path: Path) -> None:
    schemas = Schemas(
        tmp_path,
        """
        Pet: {anyOf: [{$ref: '#/components/schemas/Cat'}, {$ref: '#/components/schemas/Dog'}]}
        Cat: {type: object, required: [kind], properties: {kind: {const: cat}}}
        Dog: {type: object, required: [kind], properties: {kind: {type: string, enum: [dog]}}}
        """,
    )
    union = schemas["Pet"]
    assert isinstance(union, Union) and union.discriminator is not None
    assert not union.discriminator.explicit
    assert [value for value, _ in union.discriminator.mapping] == ["cat", "dog"]


def test_inheritance_by_all_of_makes_the_base_a_union_of_its_children(tmp_path: Path) -> None:
    schemas = Schemas(
        tmp_path,
        """
        Pet: {type: object, required: [kind], properties: {kind: {type: string}}, discriminator: {propertyName: kind}}
        Cat: {allOf: [{$ref: '#/components/schemas/Pet'}, {type: object, properties: {claws: {type: integer}}}]}
        Dog: {allOf: [{$ref: '#/components/schemas/Pet'}, {type: object, properties: {bark: {type: string}}}]}
        """,
    )
    union = schemas["Pet"]
    assert isinstance(union, Union) and union.discriminator is not None
    assert [value for value, _ in union.discriminator.mapping] == ["Cat", "Dog", "Pet"]
    assert [f.name for f in schemas.record("Cat").fields] == ["kind", "claws"]


@pytest.mark.parametrize(
    "schema",
    [
        "{oneOf: [{const: a, title: First}, {const: b, title: Second}]}",
        "{type: string, enum: [a, b], x-enum-varnames: [First, Second]}",
    ],
)
def test_enumerations_take_the_names_their_contract_gives(tmp_path: Path, schema: str) -> None:
    found = Schemas(tmp_path, f"A: {schema}")["A"]
    assert isinstance(found, Enum)
    assert [(v.name, v.value) for v in found.values] == [("First", "a"), ("Second", "b")]


@pytest.mark.parametrize(
    "schema",
    [
        "{anyOf: [{type: string, enum: [a, b]}, {type: string}]}",
        "{type: string, x-extensible-enum: [a, b]}",
        "{type: string, enum: [a, b], x-enum-open: true}",
    ],
)
def test_enumerations_that_may_grow_are_open(tmp_path: Path, schema: str) -> None:
    found = Schemas(tmp_path, f"A: {schema}")["A"]
    assert isinstance(found, Enum) and found.open


def test_one_value_is_a_constant_and_null_among_the_values_makes_it_nullable(tmp_path: Path) -> None:
    schemas = Schemas(tmp_path, "A: {type: object, properties: {a: {enum: [x]}, b: {enum: [x, y, null]}}}")
    assert schemas.field("A", "a").type == Constant(value="x")
    assert isinstance(schemas.field("A", "b").type, Nullable)


def test_properties_beside_one_of_belong_to_every_variant(tmp_path: Path) -> None:
    schemas = Schemas(
        tmp_path,
        """
        A:
          type: object
          required: [id]
          properties: {id: {type: string}}
          oneOf:
            - {title: Card, required: [number], properties: {number: {type: string}}}
            - {title: Bank, required: [iban], properties: {iban: {type: string}}}
        """,
    )
    union = schemas["A"]
    assert isinstance(union, Union)
    names = [
        [f.name for f in variant.fields] for v in union.variants if isinstance(variant := schemas.target(v), Record)
    ]
    assert [sorted(each) for each in names] == [["id", "number"], ["iban", "id"]]


@pytest.mark.parametrize(
    ("schema", "rule"),
    [
        ("{type: strng}", "schema/unknown-type"),
        ("{type: object, required: id}", "schema/shape"),
        ("{enum: []}", "schema/shape"),
        ("{type: string, minLength: -1}", "schema/shape"),
        ("{allOf: [{$ref: '#/components/schemas/A'}]}", "schema/cyclic-alias"),
        ("{allOf: [{$ref: '#/components/schemas/A'}, {type: object}]}", "schema/cyclic-allof"),
        ("{allOf: [{type: string}, {type: integer}]}", "schema/impossible"),
        ("{oneOf: [{$ref: '#/components/schemas/A'}, {type: string}]}", "schema/cyclic-union"),
        ("[]", "schema/shape"),
    ],
)
def test_a_wrong_schema_is_said_at_its_line(tmp_path: Path, schema: str, rule: str) -> None:
    schemas = Schemas(tmp_path, f"A: {schema}")
    assert rule in schemas.rules
    assert all(d.location.line for d in schemas.diagnostics)


@pytest.mark.parametrize(
    "keyword", ["not: {type: string}", "if: {}", "dependentRequired: {a: [b]}", "contains: {type: string}"]
)
def test_assertions_the_graph_cannot_hold_are_reported(tmp_path: Path, keyword: str) -> None:
    schemas = Schemas(tmp_path, f"A: {{type: object, properties: {{a: {{type: string}}}}, {keyword}}}")
    assert len(schemas.rules) == 1
    assert schemas.rules[0].startswith("schema/")


def test_the_discriminator_of_asyncapi_is_the_name_of_a_property(tmp_path: Path) -> None:
    schemas = Schemas(
        tmp_path,
        """
        Pet: {discriminator: kind, oneOf: [{$ref: '#/components/schemas/Cat'}, {$ref: '#/components/schemas/Dog'}]}
        Cat: {type: object, required: [kind], properties: {kind: {type: string}}}
        Dog: {type: object, required: [kind], properties: {kind: {type: string}}}
        """,
    )
    union = schemas["Pet"]
    assert isinstance(union, Union) and union.discriminator is not None
    assert [value for value, _ in union.discriminator.mapping] == ["Cat", "Dog"]


@pytest.mark.parametrize(
    "schema",
    [
        "{type: object, nullable: true, properties: {x: {type: string}}}",
        "{type: string, nullable: true, enum: [a, b]}",
        "{nullable: true, oneOf: [{type: string}, {type: integer}]}",
    ],
)
def test_a_schema_that_allows_null_does_so_wherever_it_is_referred_to(tmp_path: Path, schema: str) -> None:
    """Whether it is a component, or a property that another schema points at."""
    schemas = Schemas(
        tmp_path,
        f"""
        A: {schema}
        B: {{type: object, properties: {{inner: {schema}, component: {{$ref: '#/components/schemas/A'}}}}}}
        C: {{type: object, properties: {{pointed: {{$ref: '#/components/schemas/B/properties/inner'}}}}}}
        """,
        version="3.0.3",
    )
    assert not schemas.rules
    assert isinstance(schemas.alias("A"), Nullable)
    pointed = schemas.record("C").fields[0].type
    assert isinstance(pointed, Reference)
    target = schemas.declarations[pointed.target]
    assert isinstance(target, Alias) and isinstance(target.type, Nullable)
    assert isinstance(schemas.record("B").fields[0].type, Nullable)


@pytest.mark.parametrize(
    ("schema", "values"),
    [
        ("{enum: [1, 1, '1', false]}", [1, "1", False]),
        ("{type: string, enum: [1.0, true, a]}", ["1.0", "true", "a"]),
        ("{type: integer, enum: ['1', '2']}", [1, 2]),
    ],
)
def test_the_values_of_an_enumeration_keep_their_type_or_get_that_of_the_schema(
    tmp_path: Path, schema: str, values: list[object]
) -> None:
    found = Schemas(tmp_path, f"A: {schema}")["A"]
    assert isinstance(found, Enum)
    assert [repr(value.value) for value in found.values] == [repr(value) for value in values]


def test_an_enumeration_of_true_and_one_is_reported(tmp_path: Path) -> None:
    """The two are one value in Python."""
    schemas = Schemas(tmp_path, "A: {enum: [1, true]}")
    assert schemas.alias("A") == ANY
    assert schemas.rules == ["schema/enum-of-equals"]


def test_an_enumeration_of_both_booleans_is_a_boolean(tmp_path: Path) -> None:
    assert Schemas(tmp_path, "A: {type: boolean, enum: [true, false]}").alias("A") == Scalar(
        primitive=Primitive.BOOLEAN
    )


@pytest.mark.parametrize(
    ("variants", "tags"),
    [
        (["{$ref: '#/components/schemas/X'}", "{$ref: '#/components/schemas/Y'}"], ["x1", "x2", "y"]),
        (["{$ref: '#/components/schemas/X'}", "{$ref: '#/components/schemas/Free'}"], ["x1", "x2", "Free"]),
        (
            [
                "{type: object, required: [k], properties: {k: {const: a}}}",
                "{type: object, required: [k], properties: {k: {const: b}}}",
            ],
            ["a", "b"],
        ),
        (["{$ref: '#/components/schemas/X'}", "{type: string}"], None),
    ],
)
def test_a_discriminator_without_mapping_takes_the_constants_of_the_variants(
    tmp_path: Path, variants: list[str], tags: list[str] | None
) -> None:
    """The name of the schema does only for a variant without any; one that has neither makes it useless."""
    union = Schemas(
        tmp_path,
        f"""
        U: {{discriminator: {{propertyName: k}}, oneOf: [{", ".join(variants)}]}}
        X: {{type: object, required: [k], properties: {{k: {{type: string, enum: [x1, x2]}}}}}}
        Y: {{type: object, required: [k], properties: {{k: {{const: y}}}}}}
        Free: {{type: object, required: [k], properties: {{k: {{type: string}}}}}}
        """,
    )["U"]
    assert isinstance(union, Union)
    assert (union.discriminator and [tag for tag, _ in union.discriminator.mapping]) == tags


def test_a_base_that_lists_what_extends_it_is_read_once(tmp_path: Path) -> None:
    """The base's oneOf is no part of the schemas that it lists."""
    schemas = Schemas(
        tmp_path,
        """
        Base: {type: object, required: [k], properties: {k: {type: string}}, discriminator: {propertyName: k},
               oneOf: [{$ref: '#/components/schemas/A'}, {$ref: '#/components/schemas/B'}]}
        A: {allOf: [{$ref: '#/components/schemas/Base'}, {properties: {a: {type: string}}}]}
        B: {allOf: [{$ref: '#/components/schemas/Base'}, {properties: {b: {type: string}}}]}
        """,
    )
    assert [field.name for field in schemas.record("A").fields] == ["k", "a"]
    union = schemas["Base"]
    assert isinstance(union, Union)
    assert union.variants == (Reference(target=schemas["A"].id), Reference(target=schemas["B"].id))


def test_a_discriminator_reaches_the_schemas_that_extend_its_children(tmp_path: Path) -> None:
    union = Schemas(
        tmp_path,
        """
        Pet: {type: object, required: [k], properties: {k: {type: string}}, discriminator: {propertyName: k}}
        Cat: {allOf: [{$ref: '#/components/schemas/Pet'}, {properties: {a: {type: string}}}]}
        Lion: {allOf: [{$ref: '#/components/schemas/Cat'}, {properties: {k: {const: lion}}}]}
        """,
    )["Pet"]
    assert isinstance(union, Union) and union.discriminator is not None
    assert [tag for tag, _ in union.discriminator.mapping] == ["Cat", "lion", "Pet"]


def test_shared_properties_beside_one_of_are_in_the_variants_that_the_discriminator_selects(tmp_path: Path) -> None:
    union = Schemas(
        tmp_path,
        """
        U: {type: object, required: [id], properties: {id: {type: string}},
            discriminator: {propertyName: k, mapping: {a: A}}, oneOf: [{$ref: '#/components/schemas/A'}]}
        V: {type: object, required: [id], properties: {id: {type: string}}, discriminator: {propertyName: k},
            oneOf: [{$ref: '#/components/schemas/A'}, {$ref: '#/components/schemas/B'}]}
        A: {type: object, required: [k], properties: {k: {const: a}}}
        B: {type: object, required: [k], properties: {k: {const: b}}}
        """,
    )["V"]
    assert isinstance(union, Union) and union.discriminator is not None
    assert {Reference(target=target) for _, target in union.discriminator.mapping} == set(union.variants)


def test_what_two_bases_say_of_one_property_is_joined_in_the_child_alone(tmp_path: Path) -> None:
    schemas = Schemas(
        tmp_path,
        """
        A: {type: object, properties: {meta: {type: object, properties: {a: {type: string}}}}}
        B: {type: object, properties: {meta: {type: object, properties: {b: {type: string}}}}}
        C: {allOf: [{$ref: '#/components/schemas/A'}, {$ref: '#/components/schemas/B'}]}
        """,
    )

    def meta(name: str) -> list[str]:
        target = schemas.record(name).fields[0].type
        assert isinstance(target, Reference)
        found = schemas.declarations[target.target]
        assert isinstance(found, Record)
        return [field.name for field in found.fields]

    assert [meta(name) for name in "ABC"] == [["a"], ["b"], ["a", "b"]]


def test_two_one_of_joined_by_all_of_give_every_pair(tmp_path: Path) -> None:
    schemas = Schemas(
        tmp_path,
        """
        U:
          allOf:
            - oneOf: [{type: object, required: [a], properties: {a: {type: string}}},
                      {type: object, required: [b], properties: {b: {type: string}}}]
            - oneOf: [{type: object, required: [c], properties: {c: {type: string}}},
                      {type: object, required: [d], properties: {d: {type: string}}}]
        """,
    )
    pairs = {
        tuple(sorted(field.name for field in found.fields))
        for found in schemas.declarations.values()
        if isinstance(found, Record)
    }
    assert pairs == {("a", "c"), ("a", "d"), ("b", "c"), ("b", "d")}


def test_property_names_of_an_object_with_properties_are_reported(tmp_path: Path) -> None:
    assert Schemas(
        tmp_path, "A: {type: object, properties: {a: {type: string}}, propertyNames: {maxLength: 3}}"
    ).rules == ["schema/propertynames"]


def test_alternatives_that_multiply_level_by_level_are_read_up_to_a_limit(tmp_path: Path) -> None:
    lines = ["A0: {type: object, properties: {x: {type: string}}}"]
    for i in range(1, 41):
        ref = f"$ref: '#/components/schemas/A{i - 1}'"
        lines.append(f"A{i}: {{anyOf: [{{allOf: [{{{ref}}}, {{properties: {{y: {{type: string}}}}}}]}}, {{{ref}}}]}}")
    schemas = Schemas(tmp_path, "\n".join(lines))
    assert set(schemas.rules) == {"schema/too-many-variants"}


def test_arrays_that_allof_joins_have_items_of_both_kinds_at_once(tmp_path: Path) -> None:
    schemas = Schemas(
        tmp_path,
        """
        A: {allOf: [{type: array, items: {type: string, minLength: 1}}, {type: array, items: {maxLength: 5}}]}
        """,
    )
    found = schemas.alias("A")
    assert isinstance(found, ListOf) and isinstance(found.item, Scalar)
    assert (found.item.constraints.min_length, found.item.constraints.max_length) == (1, 5)


def test_required_on_a_property_itself_is_said_to_mean_nothing(tmp_path: Path) -> None:
    schemas = Schemas(tmp_path, "A: {type: object, properties: {a: {type: string, required: true}}}")
    assert schemas.rules == ["schema/required-flag"]
    assert not schemas.field("A", "a").required


def test_required_members_that_no_schema_describes_keep_their_order(tmp_path: Path) -> None:
    names = [f"member{i}" for i in range(12)]
    schemas = Schemas(tmp_path, f"A: {{type: object, required: [{', '.join(names)}]}}\n")
    assert [field.name for field in schemas.record("A").fields] == names


@pytest.mark.parametrize("omitted", ["5", "name", "[5]", "{a: b}", "null"])
def test_what_is_omitted_of_a_message_is_a_list_of_names(tmp_path: Path, omitted: str) -> None:
    schemas = Schemas(tmp_path, f"A: {{type: object, x-proto-message: a.B, x-proto-omit: {omitted}}}\n")
    assert [(d.rule, d.location.line) for d in schemas.diagnostics] == [("schema/shape", 4)]


@pytest.mark.parametrize(("written", "meant"), [("requird: [a]", "required"), ("patternn: a", "pattern")])
def test_a_misspelled_keyword_is_answered_with_the_one_that_is_near(tmp_path: Path, written: str, meant: str) -> None:
    schemas = Schemas(tmp_path, f"A: {{type: object, {written}, x-requird: 1, other: 2}}")
    assert schemas.rules == ["schema/unknown-keyword"]
    assert f"`{meant}`" in next(iter(schemas.diagnostics)).hint
