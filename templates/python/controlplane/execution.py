"""Runs one execution: its capability, its input, its slot, its time. Knows nothing of HTTP."""

import threading
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotDone
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Callable

SLOTS = 8


class Failure(Exception):
    """What an execution fails with: becomes an error envelope."""

    def __init__(self, code, message, retryable=False, details=()):
        super().__init__(message)
        self.code, self.message, self.retryable, self.details = code, message, retryable, list(details)


@dataclass(frozen=True)
class Capability:
    """What is published of it, and the function that runs it."""

    published: dict
    run: Callable


def capability(capability_id, version, description, *, inputs, outputs, run, effects="none", timeout_ms=30_000):
    """Describes a capability.

    `inputs` and `outputs` are JSON Schemas of objects. `run` takes the input and a `threading.Event` that is set when
    the execution should stop; it returns the output, or raises a `Failure`. `effects` is `none`, `idempotent` or
    `writes`: what may be run again when a runner is lost.
    """
    names = {"id": capability_id, "name": capability_id, "version": version, "description": description}
    rules = {"supportedJobTypes": [], "effects": effects, "maxConcurrency": SLOTS, "timeoutMs": timeout_ms}
    return Capability({**names, **rules, "inputSchema": inputs, "outputSchema": outputs}, run)


TYPES = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "array": list,
    "object": dict,
    "null": type(None),
}


def _problem_with(rule, value):
    """The part of JSON Schema that is checked here: type, the length of texts, and bounds of numbers."""
    kind = rule.get("type")
    if kind in TYPES:
        is_number = kind in ("integer", "number")
        if not isinstance(value, TYPES[kind]) or (is_number and isinstance(value, bool)):
            return f"expected {kind}"
    if isinstance(value, str):
        if len(value) < rule.get("minLength", 0):
            return f"expected at least {rule['minLength']} characters"
        if len(value) > rule.get("maxLength", len(value)):
            return f"expected at most {rule['maxLength']} characters"
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        if value < rule.get("minimum", value):
            return f"expected at least {rule['minimum']}"
        if value > rule.get("maximum", value):
            return f"expected at most {rule['maximum']}"
    return None


def check_input(schema, payload):
    """Refuses an input that does not fit, with the path of each problem."""
    details = []
    required = schema.get("required", [])
    for name, rule in schema.get("properties", {}).items():
        if name not in payload and name not in required:
            continue
        problem = _problem_with(rule, payload.get(name)) if name in payload else "required"
        if problem:
            details.append({"path": ["input", name], "message": problem})
    if details:
        raise Failure("VALIDATION_ERROR", "the input does not match the schema", details=details)


class Executions:
    def __init__(self, capabilities):
        self.capabilities = {one.published["id"]: one for one in capabilities}
        self.pool = ThreadPoolExecutor(max_workers=SLOTS)
        self.changed = threading.Condition()
        self.running = 0
        self.answering = 0
        self.draining = False

    def _take_slot(self):
        with self.changed:
            if self.draining:
                raise Failure("RUNNER_DRAINING", "the runner is stopping", retryable=True)
            if self.running >= SLOTS:
                raise Failure("RUNNER_BUSY", f"all {SLOTS} slots are taken", retryable=True)
            self.running += 1

    def _free_slot(self, _future=None):
        with self.changed:
            self.running -= 1
            self.changed.notify_all()

    @contextmanager
    def answer(self):
        """While a reply is being made and written: a drain waits for it."""
        with self.changed:
            self.answering += 1
        try:
            yield
        finally:
            with self.changed:
                self.answering -= 1
                self.changed.notify_all()

    def run(self, request):
        found = self.capabilities.get(request["capabilityId"])
        if found is None:
            raise Failure("CAPABILITY_NOT_FOUND", f"this runner does not offer {request['capabilityId']}")
        check_input(found.published["inputSchema"], request["payload"])
        timeout_ms = request.get("timeoutMs", found.published["timeoutMs"])
        self._take_slot()
        stop = threading.Event()
        future = self.pool.submit(found.run, request["payload"], stop)
        # A thread cannot be killed: it is asked to stop, and holds its slot until it returns.
        future.add_done_callback(self._free_slot)
        try:
            return future.result(timeout=timeout_ms / 1000)
        except NotDone:
            stop.set()
            raise Failure("EXECUTION_TIMEOUT", f"not done after {timeout_ms} ms", retryable=True) from None

    def drain(self, seconds):
        with self.changed:
            self.draining = True
            self.changed.wait_for(lambda: self.running == self.answering == 0, timeout=seconds)
