"""What executions were answered: one that is delivered again is told the same and does not run again."""

import threading
from concurrent.futures import Future

MAX_KEPT = 256
MAX_KEPT_BYTES = 16 * 1024 * 1024


class Replays:
    """Holds replies by executionId in memory: the oldest go first, and none outlives the process."""

    def __init__(self):
        self.lock = threading.Lock()
        self.replies = {}
        self.size = 0

    def answer(self, execution_id, make):
        """The reply that `make` makes: status, body, and whether to keep it. Waits where another makes it already."""
        with self.lock:
            known = self.replies.get(execution_id)
            if known is None:
                mine = self.replies[execution_id] = Future()
        if known is not None:
            return known.result()
        try:
            reply = make()
        except BaseException as error:
            with self.lock:
                del self.replies[execution_id]
            mine.set_exception(error)
            raise
        with self.lock:
            mine.set_result(reply)
            self._keep(execution_id, reply)
        return reply

    def _keep(self, execution_id, reply):
        _, body, keep = reply
        if not keep:
            del self.replies[execution_id]
            return
        self.size += len(body)
        for oldest in list(self.replies):
            if len(self.replies) <= MAX_KEPT and self.size <= MAX_KEPT_BYTES:
                return
            if self.replies[oldest].done():
                self.size -= len(self.replies.pop(oldest).result()[1])
