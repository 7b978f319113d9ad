from controlplane import capability


def greet(payload, _stop):
    return {"message": f"Hello, {payload['name']}"}


hello_greet = capability(
    "hello.greet",
    "1.0.0",
    "Greets somebody by name.",
    inputs={
        "type": "object",
        "properties": {"name": {"type": "string", "minLength": 1, "maxLength": 200}},
        "required": ["name"],
    },
    outputs={"type": "object", "properties": {"message": {"type": "string"}}, "required": ["message"]},
    run=greet,
)
