"""Whether what is pushed to the runner was signed by its JobForge, by the Standard Webhooks scheme."""

import base64
import hashlib
import hmac
import threading
import time

TOLERANCE_SECONDS = 5 * 60
# A key is taken for a while after another has come in its place: what is under way was signed with it.
OVERLAP_SECONDS = 60


class Signatures:
    """Has no key at first: everything passes until a registration brings one."""

    def __init__(self, clock=time.time):
        self.clock = clock
        self.lock = threading.Lock()
        self.key = None
        self.former = (None, 0)
        self.seen = {}

    def set_key(self, text):
        key = base64.b64decode(text.removeprefix("whsec_")) if text else None
        with self.lock:
            if self.key not in (None, key):
                self.former = (self.key, self.clock() + OVERLAP_SECONDS)
            self.key = key

    def problem_with(self, headers, body):
        """None when all is well, or nothing is signed; else what is wrong."""
        with self.lock:
            if self.key is None:
                return None
            moment = self.clock()
            message_id, sent, given = (headers.get(f"webhook-{name}") or "" for name in ("id", "timestamp", "signature"))
            if not (message_id and sent.isdigit() and given):
                return "the request is not signed"
            if abs(moment - int(sent)) > TOLERANCE_SECONDS:
                return "the signature is too far from the time here"
            content = f"{message_id}.{sent}.".encode() + body
            keys = [self.key] + ([self.former[0]] if self.former[1] > moment else [])
            if not any(self._fits(key, content, given) for key in keys):
                return "the signature is not one of a key that is valid here"
            # Older ones are refused by their time.
            self._forget(moment - 2 * TOLERANCE_SECONDS)
            if message_id in self.seen:
                return "the message was received before"
            self.seen[message_id] = moment
            return None

    def _forget(self, before):
        while self.seen:
            oldest = next(iter(self.seen))
            if self.seen[oldest] > before:
                return
            del self.seen[oldest]

    @staticmethod
    def _fits(key, content, given):
        expected = "v1," + base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
        return any(hmac.compare_digest(expected.encode(), one.encode()) for one in given.split(" ")[:10])
