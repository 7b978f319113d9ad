"""Parts of the template `python` that no contract test reaches. Run by python-template.test.ts."""

import base64
import contextlib
import hashlib
import hmac
import http.client
import io
import json
import threading
import unittest

from controlplane import capability
from controlplane.replays import MAX_KEPT, Replays
from controlplane.runner import Joined
from controlplane.session import Session
from controlplane.signatures import TOLERANCE_SECONDS, Signatures

ANY = {"type": "object"}


class Served(unittest.TestCase):
    def setUp(self):
        self.runs = 0
        self.may_end = threading.Event()
        self.may_end.set()
        self.has_begun = threading.Event()
        outputs = {"fine": {"ok": 1}, "object": {"ok": object()}, "nan": {"ok": float("nan")}}

        def run(payload, _stop):
            self.runs += 1
            self.has_begun.set()
            self.may_end.wait(20)
            return outputs[payload["which"]]

        offered = [capability("x", "1.0.0", "Any.", inputs=ANY, outputs=ANY, run=run)]
        self.joined = Joined("runner", "1.0.0", offered, {"PORT": "0"})
        threading.Thread(target=self.joined.server.serve_forever, daemon=True).start()

    def tearDown(self):
        self.joined.server.shutdown()
        self.joined.server.server_close()

    def post(self, body, **headers):
        connection = http.client.HTTPConnection(*self.joined.server.server_address, timeout=20)
        with contextlib.closing(connection):
            connection.request("POST", "/execute", body, {"content-type": "application/json", **headers})
            response = connection.getresponse()
            return response.status, json.load(response), response.will_close

    def execute(self, which="fine", execution_id="e1"):
        request = {"jobId": "j", "executionId": execution_id, "capabilityId": "x", "payload": {"which": which}}
        return self.post(json.dumps(request))[:2]

    def test_refuses_a_length_that_is_no_number(self):
        for length in ("abc", "-1", "+1", "9" * 5000):
            status, reply, _ = self.post(b"", **{"content-length": length})
            self.assertEqual((status, reply["error"]["code"]), (400, "VALIDATION_ERROR"))

    def test_refuses_an_execution_id_that_is_no_text(self):
        self.assertEqual(self.execute(execution_id=7)[0], 400)

    def test_answers_an_output_that_is_no_json_with_an_error(self):
        for which in ("object", "nan"):
            status, reply = self.execute(which, execution_id=which)
            self.assertEqual((status, reply["error"]["code"]), (500, "OUTPUT_INVALID"))

    def test_runs_an_execution_once(self):
        self.assertEqual(self.execute(), self.execute())
        self.assertEqual(self.runs, 1)
        self.execute(execution_id="e2")
        self.assertEqual(self.runs, 2)

    def test_joins_an_execution_that_runs(self):
        self.may_end.clear()
        replies = []
        first = threading.Thread(target=lambda: replies.append(self.execute()))
        first.start()
        self.assertTrue(self.has_begun.wait(20))
        second = threading.Thread(target=lambda: replies.append(self.execute()))
        second.start()
        self.may_end.set()
        first.join(20)
        second.join(20)
        self.assertEqual(replies[0], replies[1])
        self.assertEqual(self.runs, 1)


class Kept(unittest.TestCase):
    def test_forgets_the_oldest_replies(self):
        replays = Replays()
        for number in range(MAX_KEPT + 10):
            replays.answer(str(number), lambda: (200, b"12", True))
        self.assertEqual((len(replays.replies), replays.size), (MAX_KEPT, 2 * MAX_KEPT))
        self.assertNotIn("9", replays.replies)

    def test_keeps_no_refusal_that_may_be_sent_again(self):
        replays = Replays()
        replays.answer("e", lambda: (429, b"", False))
        self.assertEqual(replays.answer("e", lambda: (200, b"", True))[0], 200)


class Sessions(unittest.TestCase):
    def test_goes_on_after_any_answer_and_says_each_reason_once(self):
        session = Session("http://jobforge", token="secret", state_directory=None, describe=dict, running=int, on_key=len)
        answers = [http.client.BadStatusLine("secret"), http.client.BadStatusLine("secret"), [], {}, None]

        def post(*_):
            answer = answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer

        session._post = post
        with contextlib.redirect_stderr(io.StringIO()) as said:
            self.assertEqual([session._attempt() for _ in range(5)], [False] * 5)
        kinds = [line.rpartition(" ")[2] for line in said.getvalue().splitlines()]
        self.assertEqual(kinds, ["BadStatusLine", "AttributeError", "TypeError", "AttributeError"])

    def test_takes_no_interval_that_is_no_time(self):
        session = Session("http://jobforge", token=None, state_directory=None, describe=dict, running=int, on_key=repr)
        session._post = lambda *_: {"runnerId": "r", "heartbeatIntervalMs": "soon"}
        with contextlib.redirect_stderr(io.StringIO()):
            self.assertFalse(session._attempt())
        self.assertEqual(session.interval_ms, 10_000)


class Signed(unittest.TestCase):
    def test_remembers_messages_as_long_as_their_time_is_taken(self):
        moment, key = [1_000_000], b"key"
        signatures = Signatures(clock=lambda: moment[0])
        signatures.set_key("whsec_" + base64.b64encode(key).decode())

        def problem(message_id):
            sent = str(moment[0])
            mac = hmac.new(key, f"{message_id}.{sent}.".encode(), hashlib.sha256).digest()
            given = "v1," + base64.b64encode(mac).decode()
            headers = {"webhook-id": message_id, "webhook-timestamp": sent, "webhook-signature": given}
            return signatures.problem_with(headers, b"")

        self.assertIsNone(problem("a"))
        self.assertEqual(problem("a"), "the message was received before")
        moment[0] += TOLERANCE_SECONDS
        self.assertIsNone(problem("b"))
        moment[0] += TOLERANCE_SECONDS
        self.assertIsNone(problem("c"))
        self.assertEqual(list(signatures.seen), ["b", "c"])


if __name__ == "__main__":
    unittest.main()
