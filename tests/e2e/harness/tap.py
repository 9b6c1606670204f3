"""Runs unittest and reports in the Test Anything Protocol, one line a test."""
import sys
import time
import unittest


class TapResult(unittest.TestResult):
    def __init__(self):
        super().__init__()
        self.number, self.began, self.subtest_failures = 0, 0.0, []

    def startTest(self, test):
        super().startTest(test)
        self.began, self.subtest_failures = time.monotonic(), []

    def _say(self, word, test, note=""):
        self.number += 1
        took = time.monotonic() - self.began
        name = test.id().replace("#", " ")
        print(f"{word} {self.number} - {name}{note}", flush=True)
        print(f"# {took:.2f} s", flush=True)

    def _explain(self, text):
        for line in text.rstrip().splitlines():
            print("#   " + line, flush=True)

    def _failed(self, test, error):
        self._say("not ok", test)
        self._explain(self._exc_info_to_string(error, test))

    def addSuccess(self, test):
        if self.subtest_failures:
            self._say("not ok", test)
            for subtest, error in self.subtest_failures:
                self._explain(str(subtest))
                self._explain(self._exc_info_to_string(error, test))
        else:
            self._say("ok", test)

    def addSubTest(self, test, subtest, error):
        super().addSubTest(test, subtest, error)
        if error:
            self.subtest_failures.append((subtest, error))
            self.last_test = test

    def addError(self, test, error):
        super().addError(test, error)
        self._failed(test, error)

    def addFailure(self, test, error):
        super().addFailure(test, error)
        self._failed(test, error)

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self._say("ok", test, f" # SKIP {reason}")

    def stopTest(self, test):
        # unittest calls no addSuccess when only subtests failed.
        if self.subtest_failures:
            self.addSuccess(test)
            self.subtest_failures = []
        super().stopTest(test)


def run(suite):
    print(f"1..{suite.countTestCases()}", flush=True)
    result = TapResult()
    suite.run(result)
    sys.stdout.flush()
    return 0 if result.wasSuccessful() else 1
