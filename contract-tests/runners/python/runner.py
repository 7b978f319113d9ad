#!/usr/bin/env python3
"""A runner in Python, written from the contract alone with the standard library alone.

It follows docs/write-a-runner-in-any-language.md. It offers one capability of its own, `text.statistics`, and the
fixtures of the kit where their file is next to it, so that the kit can look deeper. It answers JSON only and declares
no features.

    npx contract-test fixtures --language python
    npx contract-test run --command "python3 runner.py"
"""

import http.client
import json
import os
import signal
import sys
import threading
import time
import urllib.error
import urllib.request
import uuid
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotDone
from contextlib import contextmanager
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

try:
    import conformance_fixtures as fixtures
except ImportError:
    fixtures = None

NAME = os.environ.get("RUNNER_NAME", "python-runner")
JOBFORGE_URL = os.environ.get("JOBFORGE_URL", "http://127.0.0.1:3002").rstrip("/")
HOST = os.environ.get("HOST", "127.0.0.1")
PORT = int(os.environ.get("PORT", "3000"))
VERSION = "1.0.0"
CONTRACT_VERSION = {"major": 1, "minor": 0, "patch": 0}
SLOTS = 8
MAX_BODY_BYTES = 4 * 1024 * 1024
DRAIN_SECONDS = 25
STARTED = time.monotonic()


class Failure(Exception):
    """What an execution fails with: becomes an ErrorEnvelope."""

    def __init__(self, code, message, retryable=False, details=()):
        super().__init__(message)
        self.code, self.message, self.retryable, self.details = code, message, retryable, list(details)


# code: (category, HTTP status)
CODES = {
    "VALIDATION_ERROR": ("VALIDATION_ERROR", 400),
    "INVALID_JSON": ("VALIDATION_ERROR", 400),
    "PAYLOAD_TOO_LARGE": ("VALIDATION_ERROR", 413),
    "METHOD_NOT_ALLOWED": ("VALIDATION_ERROR", 405),
    "ROUTE_NOT_FOUND": ("RESOURCE_NOT_FOUND", 404),
    "CAPABILITY_NOT_FOUND": ("RESOURCE_NOT_FOUND", 404),
    "RUNNER_BUSY": ("RATE_LIMITED", 429),
    "RUNNER_DRAINING": ("SERVICE_UNAVAILABLE", 503),
    "EXECUTION_TIMEOUT": ("TIMEOUT", 504),
}


def now():
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def envelope(failure):
    category, _ = CODES.get(failure.code, ("RUNTIME_ERROR", 500))
    identity = {"id": str(uuid.uuid4()), "timestamp": now(), "service": NAME, "contractVersion": CONTRACT_VERSION}
    error = {"code": failure.code, "category": category, "severity": "error", "message": failure.message}
    return {**identity, **error, "details": failure.details, "retryable": failure.retryable}


# --- what the runner can do -------------------------------------------------------------------------


# Each takes its input and an event that is set when the execution should stop.


def text_statistics(payload, _stop):
    words = payload["text"].split()
    return {"characters": len(payload["text"]), "words": len(words), "longest": max(words, key=len, default="")}


def fixture(capability_id):
    def run(payload, stop):
        try:
            return fixtures.run(capability_id, payload, stop)
        except fixtures.FixtureFailure as failure:
            raise Failure(failure.code, failure.message, failure.retryable) from None

    return run


def schema(**properties):
    return {"type": "object", "properties": {name: {"type": kind} for name, kind in properties.items()}, "required": list(properties)}


def capability(capability_id, run, inputs, outputs):
    names = {"id": capability_id, "name": capability_id, "version": VERSION, "description": f"Runs {capability_id}"}
    rules = {"supportedJobTypes": [], "effects": "none", "maxConcurrency": SLOTS, "timeoutMs": 30_000}
    return capability_id, ({**names, **rules, "inputSchema": inputs, "outputSchema": outputs}, run)


CAPABILITIES = dict([capability("text.statistics", text_statistics, schema(text="string"), schema(characters="integer", words="integer", longest="string"))])
for published in fixtures.capabilities(SLOTS) if fixtures else []:
    CAPABILITIES[published["id"]] = (published, fixture(published["id"]))

TYPES = {"string": str, "integer": int, "boolean": bool}


def check_input(inputs, payload):
    """The part of JSON Schema that this runner's own schemas use."""
    details = []
    for name, rule in inputs["properties"].items():
        value = payload.get(name)
        expected = TYPES[rule["type"]]
        wrong = not isinstance(value, expected) or (expected is int and isinstance(value, bool))
        if wrong or ("minimum" in rule and value < rule["minimum"]):
            details.append({"path": ["input", name], "message": f"expected {rule['type']}"})
    if details:
        raise Failure("VALIDATION_ERROR", "the input does not match the schema", details=details)


# --- executions -------------------------------------------------------------------------------------


class Executions:
    def __init__(self):
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
        if request["capabilityId"] not in CAPABILITIES:
            raise Failure("CAPABILITY_NOT_FOUND", f"this runner does not offer {request['capabilityId']}")
        published, function = CAPABILITIES[request["capabilityId"]]
        check_input(published["inputSchema"], request["payload"])
        timeout_ms = request.get("timeoutMs", 30_000)
        self._take_slot()
        stop = threading.Event()
        future = self.pool.submit(function, request["payload"], stop)
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


EXECUTIONS = Executions()


def read_request(text):
    try:
        request = json.loads(text)
    except ValueError as error:
        raise Failure("INVALID_JSON", f"the body is not JSON: {error}") from None
    valid = (
        isinstance(request, dict)
        and isinstance(request.get("jobId"), str)
        and isinstance(request.get("capabilityId"), str)
        and isinstance(request.get("payload"), dict)
        and isinstance(request.get("timeoutMs", 30_000), int)
    )
    if not valid:
        raise Failure("VALIDATION_ERROR", "the body is no RunnerExecutionRequest")
    return request


# --- what the runner serves -------------------------------------------------------------------------


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 30

    def reply(self, status, body, **headers):
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def refuse(self, code, message, **headers):
        failure = Failure(code, message)
        self.reply(CODES[code][1], {"success": False, "error": envelope(failure)}, **headers)

    def do_GET(self):
        if self.path == "/health":
            uptime = time.monotonic() - STARTED
            self.reply(200, {"service": NAME, "status": "healthy", "timestamp": now(), "version": VERSION, "uptime": uptime, "checks": []})
        elif self.path == "/livez":
            self.reply(200, {"ok": True, "reasons": []})
        elif self.path == "/readyz":
            ready = SESSION.runner_id is not None and not EXECUTIONS.draining
            self.reply(200 if ready else 503, {"ok": ready, "reasons": [] if ready else ["not registered, or stopping"]})
        elif self.path == "/manifest":
            self.reply(200, describe())
        elif self.path == "/execute":
            self.refuse("METHOD_NOT_ALLOWED", "use POST", allow="POST")
        else:
            self.refuse("ROUTE_NOT_FOUND", f"nothing is served at {self.path}")

    def do_POST(self):
        if self.path != "/execute":
            self.close_connection = True
            return self.refuse("ROUTE_NOT_FOUND", f"nothing is served at {self.path}")
        said = self.headers.get("content-length") or "0"
        if not (said.isascii() and said.isdigit()):
            self.close_connection = True
            return self.refuse("VALIDATION_ERROR", "the content-length is not a number")
        length = int(said)
        if length > MAX_BODY_BYTES:
            # Read and dropped, so that the sender sees the refusal and not a broken connection.
            while length > 0:
                length -= len(self.rfile.read(min(length, 65_536))) or length
            self.close_connection = True
            return self.refuse("PAYLOAD_TOO_LARGE", f"more than {MAX_BODY_BYTES} bytes")
        text = self.rfile.read(length)
        with EXECUTIONS.answer():
            self.execute(text)

    def execute(self, text):
        started, reply, status = time.monotonic(), {"success": False}, 200
        try:
            request = read_request(text)
            reply["jobId"] = request["jobId"]
            data = EXECUTIONS.run(request)
            json.dumps(data, allow_nan=False)  # what JSON cannot say is a failure of the capability
            reply.update(success=True, data=data)
        except Failure as failure:
            status = CODES.get(failure.code, ("", 500))[1]
            reply.update(success=False, error=envelope(failure))
        except Exception as error:  # a capability may raise anything
            status = 500
            reply.update(success=False, error=envelope(Failure("EXECUTION_FAILED", f"{type(error).__name__}: {error}", retryable=True)))
        self.reply(status, {**reply, "executionTimeMs": int((time.monotonic() - started) * 1000)})

    def log_message(self, format, *args):
        pass


def describe():
    """What the registration and the manifest have in common."""
    capabilities = [published for published, _ in CAPABILITIES.values()]
    return {"name": NAME, "version": VERSION, "contractVersion": CONTRACT_VERSION, "capabilities": capabilities, "maxConcurrency": SLOTS}


# --- what the runner sends --------------------------------------------------------------------------


class Refused(Exception):
    """The control plane will not take this runner, however often it asks."""


class Session:
    """Registers, beats and deregisters."""

    def __init__(self):
        self.runner_id = None
        self.interval_ms = 10_000
        self.instance_id = str(uuid.uuid4())
        self.stopping = threading.Event()

    def post(self, path, body):
        data = json.dumps(body).encode()
        request = urllib.request.Request(JOBFORGE_URL + path, data, {"content-type": "application/json"})
        with urllib.request.urlopen(request, timeout=10) as response:
            return json.load(response)

    def register(self, port):
        root = f"http://{HOST}:{port}"
        delivery = {"kind": "push", "executeUrl": f"{root}/execute"}
        here = {"instanceId": self.instance_id, "healthCheckEndpoint": f"{root}/health", "delivery": delivery}
        reply = self.post("/runners/register", {**describe(), **here})
        self.runner_id = reply["runnerId"]
        self.interval_ms = reply.get("heartbeatIntervalMs", self.interval_ms)

    def beat(self, port):
        beat = {"runnerId": self.runner_id, "timestamp": now(), "status": "healthy", "activeJobs": EXECUTIONS.running, "instanceId": self.instance_id}
        if self.post("/runners/heartbeat", beat).get("known") is False:
            self.runner_id = None

    def attempt(self, port):
        """One registration or beat; whether it was answered."""
        try:
            self.register(port) if self.runner_id is None else self.beat(port)
            return True
        except urllib.error.HTTPError as error:
            body = error.read().decode(errors="replace")
            if '"CONTRACT_MISMATCH"' in body:
                raise Refused(body) from None
            return False
        # An answer that was cut short, or of another shape, is none.
        except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError, AttributeError):
            return False

    def run(self, port):
        pause_ms = 250
        while not self.stopping.is_set():
            try:
                answered = self.attempt(port)
            except Refused as refusal:
                print(f"refused for good: {refusal}", file=sys.stderr, flush=True)
                return
            if answered or self.runner_id is not None:
                pause_ms = 250
                # A runner that is not known any more asks again at once.
                wait_ms = self.interval_ms if self.runner_id is not None else 0
            else:
                wait_ms, pause_ms = pause_ms, min(pause_ms * 2, 30_000)
            self.stopping.wait(wait_ms / 1000)

    def leave(self):
        self.stopping.set()
        if self.runner_id is None:
            return
        try:
            self.post(f"/runners/{self.runner_id}/deregister", {"instanceId": self.instance_id, "reason": "SIGTERM"})
        except (OSError, http.client.HTTPException, ValueError):
            pass


SESSION = Session()


class Server(ThreadingHTTPServer):
    # Connections that wait to be accepted.
    request_queue_size = 128


def main():
    server = Server((HOST, PORT), Handler)
    port = server.server_address[1]
    stop = threading.Event()

    def on_signal(_number, _frame):
        if stop.is_set():
            os._exit(1)
        stop.set()

    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, on_signal)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    threading.Thread(target=SESSION.run, args=(port,), daemon=True).start()
    # A signal that another thread is given is handled when this one runs again.
    while not stop.wait(0.2):
        pass
    # Leave first, so that nothing new is sent; then finish what runs.
    SESSION.leave()
    EXECUTIONS.drain(DRAIN_SECONDS)
    # Not sys.exit: it would wait for threads whose execution does not end.
    os._exit(0)


if __name__ == "__main__":
    main()
