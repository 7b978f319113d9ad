"""Serves what JobForge asks of a runner, and joins executions and session."""

import json
import os
import re
import signal
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from .envelope import CONTRACT_VERSION, envelope, now, status_of
from .execution import SLOTS, Executions, Failure
from .replays import Replays
from .session import Session
from .signatures import Signatures

MAX_BODY_BYTES = 4 * 1024 * 1024
DRAIN_SECONDS = 25
READ_ONLY = ("/health", "/livez", "/readyz", "/manifest")
ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")
LENGTH = re.compile(r"[0-9]{1,15}")
# With these nothing has run: the same execution may be sent again.
NOT_BEGUN = ("RUNNER_BUSY", "RUNNER_DRAINING")


def read_request(text):
    try:
        request = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Failure("INVALID_JSON", f"the body is not JSON: {error}") from None
    valid = (
        isinstance(request, dict)
        and isinstance(request.get("jobId"), str)
        and ID.fullmatch(request["jobId"])
        and isinstance(request.get("executionId", "none"), str)
        and ID.fullmatch(request.get("executionId", "none"))
        and isinstance(request.get("capabilityId"), str)
        and isinstance(request.get("payload"), dict)
        and isinstance(request.get("timeoutMs", 30_000), int)
    )
    if not valid:
        raise Failure("VALIDATION_ERROR", "the body is no RunnerExecutionRequest")
    return request


def refuse_what_json_cannot_say(output):
    try:
        json.dumps(output, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise Failure("OUTPUT_INVALID", f"the output is not JSON: {error}") from None


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 30
    # What is joined in `serve`.
    joined = None

    def reply(self, status, body, **headers):
        self.send(status, json.dumps(body).encode(), **headers)

    def send(self, status, data, **headers):
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def refuse(self, code, message, **headers):
        error = envelope(Failure(code, message), self.joined.name)
        self.reply(status_of(code), {"success": False, "error": error}, **headers)

    def route(self):
        return self.path.partition("?")[0]

    def do_GET(self):
        path = self.route()
        if path == "/health":
            self.reply(200, self.joined.health())
        elif path == "/livez":
            self.reply(200, {"ok": True, "reasons": []})
        elif path == "/readyz":
            ready = self.joined.is_ready()
            self.reply(200 if ready else 503, {"ok": ready, "reasons": [] if ready else ["not registered, or stopping"]})
        elif path == "/manifest":
            self.reply(200, self.joined.manifest())
        elif path == "/execute":
            self.refuse("METHOD_NOT_ALLOWED", "use POST", allow="POST")
        else:
            self.refuse("ROUTE_NOT_FOUND", f"nothing is served at {path}")

    def do_HEAD(self):
        self.do_GET()

    def refuse_path(self, path):
        self.close_connection = True
        if path in READ_ONLY:
            return self.refuse("METHOD_NOT_ALLOWED", "use GET", allow="GET, HEAD")
        return self.refuse("ROUTE_NOT_FOUND", f"nothing is served at {path}")

    def do_POST(self):
        path = self.route()
        if path != "/execute" and not path.startswith("/executions/"):
            return self.refuse_path(path)
        if self.headers.get("transfer-encoding"):
            self.close_connection = True
            return self.refuse("VALIDATION_ERROR", "send a content-length: bodies in chunks are not read")
        length = self.headers.get("content-length") or "0"
        if not LENGTH.fullmatch(length):
            self.close_connection = True
            return self.refuse("VALIDATION_ERROR", "the content-length is not a number")
        length = int(length)
        if length > MAX_BODY_BYTES:
            # Read and dropped, so that the sender sees the refusal and not a broken connection.
            while length > 0:
                length -= len(self.rfile.read(min(length, 65_536))) or length
            self.close_connection = True
            return self.refuse("PAYLOAD_TOO_LARGE", f"more than {MAX_BODY_BYTES} bytes")
        body = self.rfile.read(length)
        problem = self.joined.signatures.problem_with(self.headers, body)
        if problem:
            return self.refuse("SIGNATURE_INVALID", problem)
        if path != "/execute":
            # A thread cannot be stopped from outside: the runner does not declare `cancel`.
            return self.refuse("ROUTE_NOT_FOUND", f"nothing is served at {path}")
        if self.headers.get_content_type() != "application/json":
            return self.refuse("UNSUPPORTED_MEDIA_TYPE", "send application/json")
        with self.joined.executions.answer():
            self.execute(body)

    def execute(self, text):
        try:
            request = read_request(text)
        except Failure as failure:
            error = envelope(failure, self.joined.name)
            return self.reply(status_of(failure.code), {"success": False, "error": error, "executionTimeMs": 0})
        if "executionId" in request:
            status, body, _ = self.joined.replays.answer(request["executionId"], lambda: self.outcome(request))
        else:
            status, body, _ = self.outcome(request)
        self.send(status, body)

    def outcome(self, request):
        """Status and body of the reply, and whether this execution is told the same when it is sent again."""
        started, reply, status, kept = time.monotonic(), {"success": False, "jobId": request["jobId"]}, 200, True
        try:
            output = self.joined.executions.run(request)
            refuse_what_json_cannot_say(output)
            reply.update(success=True, data=output)
        except Failure as failure:
            status, kept = status_of(failure.code), failure.code not in NOT_BEGUN
            reply.update(success=False, error=envelope(failure, self.joined.name))
        except Exception as error:  # a capability may raise anything
            status = 500
            failure = Failure("EXECUTION_FAILED", f"{type(error).__name__}: {error}", retryable=True)
            reply.update(success=False, error=envelope(failure, self.joined.name))
        body = {**reply, "executionTimeMs": int((time.monotonic() - started) * 1000)}
        # The details of a failure may hold anything.
        return status, json.dumps(body, default=str).encode(), kept

    def log_message(self, format, *args):
        pass


class Server(ThreadingHTTPServer):
    # Connections that wait to be accepted.
    request_queue_size = 128


class Joined:
    """One runner: what it can do, where it is, and its session."""

    def __init__(self, name, version, capabilities, environment):
        self.name, self.version = name, version
        self.started = time.monotonic()
        self.signatures = Signatures()
        self.replays = Replays()
        self.executions = Executions(capabilities)
        handler = type("JoinedHandler", (Handler,), {"joined": self})
        address = (environment.get("HOST") or "127.0.0.1", int(environment.get("PORT") or 3000))
        self.server = Server(address, handler)
        self.root = environment.get("RUNNER_PUBLIC_URL") or f"http://{address[0]}:{self.server.server_address[1]}"
        self.session = Session(
            environment.get("JOBFORGE_URL") or "http://127.0.0.1:3002",
            token=environment.get("RUNNER_TOKEN"),
            state_directory=environment.get("RUNNER_STATE_DIR"),
            describe=self.describe,
            running=lambda: self.executions.running,
            on_key=self.signatures.set_key,
        )

    def manifest(self):
        capabilities = [one.published for one in self.executions.capabilities.values()]
        names = {"name": self.name, "version": self.version, "contractVersion": CONTRACT_VERSION}
        return {**names, "capabilities": capabilities, "maxConcurrency": SLOTS}

    def describe(self):
        root = self.root.rstrip("/")
        delivery = {"kind": "push", "executeUrl": f"{root}/execute"}
        here = {"healthCheckEndpoint": f"{root}/health", "delivery": delivery}
        # Asks for a key, with which whatever is pushed is signed from then on.
        return {**self.manifest(), **here, "features": ["signed"]}

    def health(self):
        uptime = time.monotonic() - self.started
        return {"service": self.name, "status": "healthy", "timestamp": now(), "version": self.version, "uptime": uptime, "checks": []}

    def is_ready(self):
        return self.session.runner_id is not None and not self.executions.draining


def serve(name, version, capabilities, environment=os.environ):
    """Runs the runner until it is told to stop: first signal, finish what runs; second, stop now."""
    joined = Joined(name, version, capabilities, environment)
    stop = threading.Event()
    exit_codes = [0]

    def on_signal(_number, _frame):
        if stop.is_set():
            os._exit(1)
        stop.set()

    def on_refused(exit_code):
        exit_codes[0] = exit_code
        stop.set()

    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, on_signal)
    threading.Thread(target=joined.server.serve_forever, daemon=True).start()
    threading.Thread(target=joined.session.run, args=(on_refused,), daemon=True).start()
    # A signal that another thread is given is handled when this one runs again.
    while not stop.wait(0.2):
        pass
    # Leave first, so that nothing new is sent; then finish what runs.
    joined.session.leave()
    joined.executions.drain(DRAIN_SECONDS)
    # Not sys.exit: it would wait for threads whose execution does not end.
    os._exit(exit_codes[0])
