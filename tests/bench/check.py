#!/usr/bin/env python3
"""Tests of the bench's own arithmetic: medians, aims, regressions, plots."""
import contextlib
import io
import os
import sys
import types
import unittest
import xml.etree.ElementTree

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "e2e")]

from measure import compare, plan, plot, report, results_page, rows


def results(**samples):
    return {"samples": {key.replace("__", "."): value for key, value in samples.items()}}


class Report(unittest.TestCase):
    def test_a_median_is_not_moved_by_one_slow_run(self):
        found = report.medians(results(start__wall={"mayfly": [3, 900, 2]}), "start.wall")
        self.assertEqual(found, {"mayfly": 3})

    def test_ratios_are_to_each_other_client(self):
        table = report.table(results(start__wall={"mayfly": [2], "floor": [1], "peer": [40]}))
        self.assertEqual([cell.strip() for cell in table.splitlines()[2].split("|")[2:-1]],
                         ["2", "1", "40", "2.00", "0.05", "a tenth: met"])

    def test_a_row_without_samples_is_left_out(self):
        self.assertEqual(len(report.table(results(start__wall={"mayfly": [2]})).splitlines()), 3)

    def test_numbers_are_rounded(self):
        for value, text in ((0, "0"), (0.456, "0.46"), (3, "3"), (12.34, "12.3"), (1344.4, "1,344")):
            self.assertEqual(report.number(value), text)


class Aims(unittest.TestCase):
    def test_of_the_peer(self):
        aim = rows.of_peer(1 / 2, "a half")
        self.assertTrue(aim.is_met({"mayfly": 10, "floor": 9, "cloudflared": 20}))
        self.assertFalse(aim.is_met({"mayfly": 11, "floor": 9, "cloudflared": 20}))
        self.assertIsNone(aim.is_met({"mayfly": 11, "floor": 9}))

    def test_of_the_floor_and_of_itself(self):
        self.assertTrue(rows.of_floor(1.1, "").is_met({"mayfly": 1.09, "floor": 1}))
        self.assertFalse(rows.of_floor(1.1, "").is_met({"mayfly": 1.11, "floor": 1}))
        self.assertFalse(rows.at_most(13, "").is_met({"mayfly": 13.5}))


class Compare(unittest.TestCase):
    def worse(self, before, after):
        return compare.worse(results(**before), results(**after))

    def test_higher_cost_is_worse(self):
        said = self.worse({"start__wall": {"mayfly": [10]}}, {"start__wall": {"mayfly": [10.4]}})
        self.assertIn("worse by 4.0 %: start", said)

    def test_lower_throughput_is_worse(self):
        said = self.worse({"upload__rate": {"mayfly": [100]}}, {"upload__rate": {"mayfly": [90]}})
        self.assertIn("worse by 10.0 %: upload", said)

    def test_three_percent_and_every_improvement_pass(self):
        said = self.worse({"start__wall": {"mayfly": [10]}, "upload__rate": {"mayfly": [100]}},
                          {"start__wall": {"mayfly": [10.29]}, "upload__rate": {"mayfly": [150]}})
        self.assertEqual(said, "nothing got worse by more than 3 %")

    def test_value_in_place_of_zero_is_worse(self):
        said = self.worse({"ssh-gen__connections": {"mayfly": [0]}}, {"ssh-gen__connections": {"mayfly": [1]}})
        self.assertIn("worse: `ssh-gen`, TLS connections: 0 -> 1", said)

    def test_only_figures_of_mayfly_that_both_runs_have_are_compared(self):
        said = self.worse({"start__wall": {"peer": [10]}, "echo__cpu": {"mayfly": [1]}},
                          {"start__wall": {"peer": [20], "mayfly": [9]}})
        self.assertEqual(said, "nothing got worse by more than 3 %")


class Failures(unittest.TestCase):
    def test_failed_figure_is_counted_and_the_others_go_on(self):
        subjects = [types.SimpleNamespace(name=name, has=lambda _figure: True) for name in ("one", "two")]
        world = types.SimpleNamespace(subjects=subjects, failures=0)

        def sample(_world, subject, _scale):
            if subject.name == "one":
                raise SystemExit("it died")
            return {"start.wall": 1}
        samples = {}
        with contextlib.redirect_stderr(io.StringIO()) as said:
            plan._take(world, plan.Figure("start", sample, 3), None, 3, samples)
        self.assertEqual(samples, {"start.wall": {"two": [1, 1, 1]}})
        self.assertEqual(world.failures, 3)
        self.assertIn("start of one failed: it died", said.getvalue())


class Plots(unittest.TestCase):
    def test_an_axis_spans_whole_powers_of_ten(self):
        axis = plot.Axis([20, 4000], 0, 300)
        self.assertEqual(axis.ticks(), [10, 100, 1000, 10000])
        self.assertEqual([axis.place(tick) for tick in axis.ticks()], [0, 100, 200, 300])

    def test_a_plot_is_xml_with_a_line_for_each_series(self):
        drawn = plot.svg("a < b", ("x", "y"), {"one": [(1, 2), (10, 20)], "two": [(1, 0), (10, 5)]})
        root = xml.etree.ElementTree.fromstring(drawn)
        lines = [e for e in root.iter() if e.tag.endswith("polyline")]
        self.assertEqual([len(e.get("points").split()) for e in lines], [2, 1])

    def test_series_are_taken_from_the_samples(self):
        found = results_page.series(results(held__100__cpu={"mayfly": [2, 1, 3]}, held__10__cpu={"mayfly": [5]}),
                                    r"held\.(?P<x>\d+)\.cpu")
        self.assertEqual(found, {"mayfly": [(10, 5), (100, 2)]})


if __name__ == "__main__":
    from harness import tap
    sys.exit(tap.run(unittest.defaultTestLoader.loadTestsFromModule(sys.modules[__name__])))
