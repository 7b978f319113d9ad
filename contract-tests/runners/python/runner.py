#!/usr/bin/env python3
"""The runner of the Python template, with fixtures, so that the kit can look deeper.

It offers one capability of its own, `text.statistics`, and the fixtures `conformance.echo`,
`conformance.sleep` and `conformance.fail`. It answers JSON only and declares no features.

    npx contract-test run --command "python3 runner.py"
"""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "templates" / "python"))
sys.dont_write_bytecode = True

from controlplane import Failure, capability, serve  # noqa: E402


# Each takes its input and an event that is set when the execution should stop.


def text_statistics(payload, _stop):
    words = payload["text"].split()
    return {"characters": len(payload["text"]), "words": len(words), "longest": max(words, key=len, default="")}


def echo(payload, _stop):
    return {"text": payload["text"]}


def sleep(payload, stop):
    stop.wait(payload["ms"] / 1000)
    return {"sleptMs": payload["ms"]}


def fail(payload, _stop):
    raise Failure(payload["code"], payload["message"], payload["retryable"])


def schema(**properties):
    return {
        "type": "object",
        "properties": {name: {"type": kind} for name, kind in properties.items()},
        "required": list(properties),
    }


def offered(capability_id, run, inputs, outputs):
    return capability(capability_id, "1.0.0", f"Runs {capability_id}", inputs=inputs, outputs=outputs, run=run)


CAPABILITIES = [
    offered(
        "text.statistics",
        text_statistics,
        schema(text="string"),
        schema(characters="integer", words="integer", longest="string"),
    ),
    offered("conformance.echo", echo, schema(text="string"), schema(text="string")),
    offered("conformance.sleep", sleep, schema(ms="integer"), schema(sleptMs="integer")),
    offered("conformance.fail", fail, schema(code="string", message="string", retryable="boolean"), schema()),
]

if __name__ == "__main__":
    serve(os.environ.get("RUNNER_NAME") or "python-runner", "1.0.0", CAPABILITIES)
