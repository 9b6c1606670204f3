"""Runs unittest and reports in the Test Anything Protocol, one line for each test."""
import sys
import time
import unittest


class TapResult(unittest.TestResult):
    def __init__(self):
        super().__init__()
        self.number, self.began, self.failures_of_test = 0, 0.0, []

    def startTest(self, test):
        super().startTest(test)
        self.began, self.failures_of_test, self.skipped_because = time.monotonic(), [], None

    def addSubTest(self, test, subtest, error):
        super().addSubTest(test, subtest, error)
        if error:
            self.failures_of_test.append(f"{subtest}\n{self._exc_info_to_string(error, test)}")

    def addError(self, test, error):
        super().addError(test, error)
        if not isinstance(test, unittest.TestCase):  # setUpClass failed: none of its tests starts.
            print(f"Bail out! {test.id()}\n#   " + self.errors[-1][1].replace("\n", "\n#   "))
            return
        self.failures_of_test.append(self.errors[-1][1])

    def addFailure(self, test, error):
        super().addFailure(test, error)
        self.failures_of_test.append(self.failures[-1][1])

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.skipped_because = reason

    def stopTest(self, test):
        super().stopTest(test)
        self.number += 1
        if sys.exc_info()[0]:  # An exception is leaving the test, which has no result yet.
            self.failures_of_test.append("interrupted")
        word = "not ok" if self.failures_of_test else "ok"
        note = f" # SKIP {self.skipped_because}" if self.skipped_because else ""
        print(f"{word} {self.number} - {test.id()}{note}")
        print(f"# {time.monotonic() - self.began:.2f} s")
        for failure in self.failures_of_test:
            for line in failure.rstrip().splitlines():
                print("#   " + line)
        sys.stdout.flush()


def run(suite):
    print(f"1..{suite.countTestCases()}", flush=True)
    result = TapResult()
    suite.run(result)
    sys.stdout.flush()
    return 0 if result.wasSuccessful() else 1
