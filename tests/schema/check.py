#!/usr/bin/env python3
"""Checks JSON against a schema: a strict, small part of JSON Schema, standard library only.

    check.py [--lines] FILE SCHEMA    FILE: one JSON text, with --lines one a line; "-" is stdin
    check.py --self-test              proves that each rule can fail

Prints one line a fault (where in the text, what is wrong) and ends with 1, with 0 without faults.

Understood: type (a name or a list), enum, const, minimum, maxLength, pattern, required, properties,
additionalProperties (a schema; without it what `properties` does not name is a fault), items,
$ref to "#/$defs/NAME", title, description. Any other keyword in a schema is an error: it would check
nothing. A control character (C0, DEL, C1) that is not escaped is a fault everywhere.
"""

import json
import re
import sys

TYPES = {
    "null": lambda v: v is None,
    "boolean": lambda v: isinstance(v, bool),
    "integer": lambda v: isinstance(v, int) and not isinstance(v, bool),
    "number": lambda v: isinstance(v, (int, float)) and not isinstance(v, bool),
    "string": lambda v: isinstance(v, str),
    "array": lambda v: isinstance(v, list),
    "object": lambda v: isinstance(v, dict),
}
KEYWORDS = {
    "$defs", "$ref", "$schema", "additionalProperties", "const", "description", "enum", "items",
    "maxLength", "minimum", "pattern", "properties", "required", "title", "type",
}
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def type_faults(value, schema, where):
    names = schema.get("type", [])
    names = [names] if isinstance(names, str) else names
    if names and not any(TYPES[name](value) for name in names):
        yield f"{where}: {json.dumps(value)[:60]} is not {' or '.join(names)}"


def value_faults(value, schema, where):
    if "const" in schema and value != schema["const"]:
        yield f"{where}: {json.dumps(value)[:60]} is not {json.dumps(schema['const'])}"
    if "enum" in schema and value not in schema["enum"]:
        yield f"{where}: {json.dumps(value)[:60]} is none of {json.dumps(schema['enum'])}"
    if "minimum" in schema and TYPES["number"](value) and value < schema["minimum"]:
        yield f"{where}: {value} is less than {schema['minimum']}"
    if isinstance(value, str):
        if len(value) > schema.get("maxLength", len(value)):
            yield f"{where}: longer than {schema['maxLength']} characters"
        if "pattern" in schema and not re.search(schema["pattern"], value):
            yield f"{where}: {json.dumps(value)[:60]} does not match {schema['pattern']}"


def object_faults(value, schema, where, root):
    properties = schema.get("properties", {})
    for name in schema.get("required", []):
        if name not in value:
            yield f"{where}: '{name}' is missing"
    for name, part in value.items():
        if name in properties:
            yield from faults(part, properties[name], f"{where}.{name}", root)
        elif "additionalProperties" in schema:
            yield from faults(part, schema["additionalProperties"], f"{where}.{name}", root)
        elif "properties" in schema:
            yield f"{where}: '{name}' is not in the schema"


def faults(value, schema, where, root):
    unknown = set(schema) - KEYWORDS
    if unknown:
        raise SystemExit(f"check.py: the schema at {where} says {sorted(unknown)}: not understood")
    if "$ref" in schema:
        name = schema["$ref"].removeprefix("#/$defs/")
        yield from faults(value, root["$defs"][name], where, root)
    yield from type_faults(value, schema, where)
    yield from value_faults(value, schema, where)
    if isinstance(value, dict):
        yield from object_faults(value, schema, where, root)
    if isinstance(value, list) and "items" in schema:
        for index, item in enumerate(value):
            yield from faults(item, schema["items"], f"{where}[{index}]", root)


def faults_in_text(text, schema, where):
    def refuse(name):
        raise ValueError(f"{name} is not JSON")

    def once(pairs):
        if len({name for name, _ in pairs}) < len(pairs):
            raise ValueError("a field appears twice")
        return dict(pairs)

    if control := CONTROL.search(text):
        return [f"{where}: a raw {json.dumps(control.group())} at character {control.start()}"]
    try:
        value = json.loads(text, parse_constant=refuse, object_pairs_hook=once)
    except ValueError as error:
        return [f"{where}: {error}"]
    return list(faults(value, schema, where, schema))


def check(text, schema, by_lines):
    if not by_lines:
        return faults_in_text(text, schema, "$")
    *lines, rest = text.split("\n")
    found = ["$: the last line is torn"] if rest or not lines else []
    for number, line in enumerate(lines, 1):
        found += faults_in_text(line, schema, f"line {number}: $")
    return found


def self_test():
    schema = {
        "type": "object",
        "required": ["schema", "who"],
        "properties": {
            "schema": {"const": 1},
            "who": {"$ref": "#/$defs/who"},
            "list": {"type": "array", "items": {"type": "integer", "minimum": 0}},
            "words": {"type": "object", "additionalProperties": {"enum": ["a", "b"]}},
        },
        "$defs": {"who": {"type": ["string", "null"], "pattern": "^[a-z]+$", "maxLength": 5}},
    }
    right = ['{"schema":1,"who":null}', '{"schema":1,"who":"ci","list":[0,2],"words":{"x":"a"}}']
    wrong = [
        '{"schema":2,"who":null}', '{"schema":1}', '{"schema":1,"who":3}', '[]', "{", "NaN",
        '{"schema":1,"who":"CI"}', '{"schema":1,"who":"abcdef"}', '{"schema":1,"who":"a\u009b"}',
        '{"schema":1,"who":null,"new":1}', '{"schema":1,"who":null,"list":[-1]}',
        '{"schema":1,"who":null,"list":[true]}', '{"schema":1,"who":null,"words":{"x":"c"}}',
        '{"schema":1,"schema":1,"who":null}',
    ]
    for text in right:
        assert not check(text, schema, False), text
    for text in wrong:
        assert check(text, schema, False), text
    assert not check("\n".join(right) + "\n", schema, True)
    assert check(right[0] + "\n" + wrong[0] + "\n", schema, True)
    assert check("", schema, True)
    try:
        check("{}", {"oneOf": []}, False)
    except SystemExit:
        return 0
    raise AssertionError("an unknown keyword passes")


def read(path):
    if path == "-":
        return sys.stdin.buffer.read().decode("utf-8")
    with open(path, encoding="utf-8", newline="") as file:
        return file.read()


def main(words):
    if words == ["--self-test"]:
        return self_test()
    by_lines = "--lines" in words
    words = [word for word in words if word != "--lines"]
    if len(words) != 2:
        print(__doc__, file=sys.stderr)
        return 64
    try:
        text = read(words[0])
    except UnicodeDecodeError as error:
        print(f"$: {error}")
        return 1
    found = check(text, json.loads(read(words[1])), by_lines)
    for fault in found:
        print(fault)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
