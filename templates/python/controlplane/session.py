"""Registers with JobForge, beats, and deregisters."""

import http.client
import json
import os
import sys
import threading
import urllib.error
import urllib.request
import uuid
from pathlib import Path

from .envelope import now

# Refusals that asking again does not mend → the exit code of the process.
PERMANENT = {
    "CONTRACT_MISMATCH": 65,
    "CREDENTIAL_MISSING": 66,
    "CREDENTIAL_INVALID": 67,
    "TOKEN_EXPIRED": 68,
    "TOKEN_REVOKED": 69,
    "MACHINE_MISMATCH": 70,
    "ALREADY_CONNECTED": 71,
}

# What else goes wrong with a request: no connection, no HTTP, or an answer that is not one of JobForge's.
UNANSWERED = (OSError, http.client.HTTPException, ValueError, KeyError, TypeError, AttributeError)


class Refused(Exception):
    """JobForge will not take this runner, however often it asks."""

    def __init__(self, code, message):
        super().__init__(f"{code}: {message}")
        self.exit_code = PERMANENT[code]


class Kept:
    """What outlives the process, in a folder that only this user reads; in memory where there is none."""

    def __init__(self, folder):
        self.folder = Path(folder) if folder else None
        self.values = {}

    def get(self, name):
        if name in self.values or self.folder is None or not (self.folder / name).exists():
            return self.values.get(name)
        return (self.folder / name).read_text().strip()

    def put(self, name, value):
        self.values[name] = value
        if self.folder is None:
            return
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self.folder / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(value)


class Session:
    def __init__(self, url, *, token, state_directory, describe, running, on_key):
        self.url = url.rstrip("/")
        self.token = token
        self.kept = Kept(state_directory)
        self.describe = describe
        self.running = running
        self.on_key = on_key
        self.runner_id = None
        self.interval_ms = 10_000
        self.credential = None
        self.instance_id = str(uuid.uuid4())
        self.stopping = threading.Event()
        self.said = None

    def _post(self, path, body, credential):
        headers = {"content-type": "application/json"}
        if credential:
            headers["authorization"] = f"Bearer {credential}"
        request = urllib.request.Request(self.url + path, json.dumps(body).encode(), headers)
        with urllib.request.urlopen(request, timeout=10) as response:
            return json.load(response)

    def _take(self, reply):
        interval_ms = reply.get("heartbeatIntervalMs", self.interval_ms)
        if not interval_ms > 0:
            raise ValueError("heartbeatIntervalMs")
        self.interval_ms = interval_ms
        if reply.get("sessionCredential"):
            self.credential = reply["sessionCredential"]["token"]

    def _register(self):
        if not self.kept.get("machine-id"):
            self.kept.put("machine-id", str(uuid.uuid4()))
        here = {"instanceId": self.instance_id, "machineId": self.kept.get("machine-id")}
        reply = self._post("/runners/register", {**self.describe(), **here}, self.kept.get("secret") or self.token)
        # Told once, in exchange for an enrollment token.
        if reply.get("runnerSecret"):
            self.kept.put("secret", reply["runnerSecret"])
        self.on_key(reply.get("signingKey"))
        self._take(reply)
        self.runner_id = reply["runnerId"]

    def _beat(self):
        beat = {"runnerId": self.runner_id, "timestamp": now(), "status": "healthy", "activeJobs": self.running()}
        reply = self._post("/runners/heartbeat", {**beat, "instanceId": self.instance_id}, self.credential)
        self._take(reply)
        if reply.get("known") is False:
            self.runner_id = None

    def _refusal(self, error):
        """What the body of a refusal says; an answer that is none of ours says nothing."""
        try:
            said = json.loads(error.read())["error"]
            return said["code"], said["message"]
        except UNANSWERED:
            return "", ""

    def _say(self, reason):
        """Once, until it changes: it is tried again and again."""
        if reason not in (None, self.said):
            print(f"JobForge at {self.url} does not answer as it should: {reason}", file=sys.stderr, flush=True)
        self.said = reason

    def _attempt(self):
        """One registration or beat; whether it was answered."""
        beats = self.runner_id is not None
        try:
            self._beat() if beats else self._register()
            self._say(None)
            return True
        except urllib.error.HTTPError as error:
            code, message = self._refusal(error)
            if beats and error.code == 401:
                # The session is over: the registration has a credential of its own.
                self.runner_id, self.credential = None, None
            elif code in PERMANENT:
                raise Refused(code, message) from None
            self._say(f"{error.code} {code} {message}".strip())
            return False
        except UNANSWERED as error:
            # Of others than the system's only the kind: their text may repeat what was sent, credentials too.
            self._say(str(error) if isinstance(error, OSError) else type(error).__name__)
            return False

    def run(self, on_refused):
        pause_ms = 250
        while not self.stopping.is_set():
            try:
                answered = self._attempt()
            except Refused as refusal:
                print(f"refused for good: {refusal}", file=sys.stderr, flush=True)
                return on_refused(refusal.exit_code)
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
            body = {"instanceId": self.instance_id, "reason": "SIGTERM"}
            self._post(f"/runners/{self.runner_id}/deregister", body, self.credential)
        except UNANSWERED as error:
            self._say(type(error).__name__)
