import unittest

from capabilities.hello_greet import hello_greet
from controlplane import Failure
from controlplane.execution import Executions


def run(payload):
    return Executions([hello_greet]).run({"capabilityId": "hello.greet", "payload": payload})


class HelloGreet(unittest.TestCase):
    def test_greets_by_name(self):
        self.assertEqual(run({"name": "Ada"}), {"message": "Hello, Ada"})

    def test_refuses_an_empty_name(self):
        with self.assertRaises(Failure) as refused:
            run({"name": ""})
        self.assertEqual(refused.exception.code, "VALIDATION_ERROR")
        self.assertEqual(refused.exception.details[0]["path"], ["input", "name"])

    def test_refuses_an_input_without_a_name(self):
        with self.assertRaises(Failure):
            run({"nam": "Ada"})
