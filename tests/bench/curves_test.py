"""The growth curves' words: how they are drawn, and what they must not do."""
import os
import sys
import unittest

sys.path.insert(0, os.getcwd())  # bench/
from comparison import curves, drawing  # noqa: E402


def point(x, mib, p99=1.0):
    return x, {curves.OPS: 1, curves.P99: p99, curves.MIB: mib}


class Verdicts(unittest.TestCase):
    def test_memory_may_grow_with_the_number_and_no_faster(self):
        self.assertIn("no worse", curves.verdicts("seats", [point(100, 10), point(1000, 99)])[0])
        self.assertIn("WORSE", curves.verdicts("seats", [point(100, 10), point(1000, 101)])[0])
        self.assertEqual(curves.verdicts("seats", [point(100, 10)]), [])

    def test_idle_sessions_must_not_make_buyers_wait(self):
        self.assertIn("reached", curves.verdicts("sessions", [point(1, 1), point(20_000, 1, 1.3)])[-1])
        self.assertIn("MISSED", curves.verdicts("sessions", [point(1, 1), point(20_000, 1, 1.31)])[-1])

    def test_an_open_loop_has_the_depth_that_the_server_allows(self):
        self.assertEqual(curves.without_depth(("--connections", 5, "--depth", 16)), ["--connections", 5])
        self.assertEqual(curves.without_depth(("--connections", 5)), ["--connections", 5])


class Drawing(unittest.TestCase):
    def test_every_figure_has_a_panel_and_nothing_a_place_where_it_can_be_seen(self):
        text = drawing.script("x.svg", "holds", ["a", "b"], [(0, {"a": 1, "b": 2}), (10, {"a": 3, "b": 4})], 1, 10)
        self.assertIn("layout 2,1", text)
        self.assertIn("\n1 1\n10 3\ne\n", text)
        self.assertIn("\n1 2\n10 4\ne\n", text)


if __name__ == "__main__":
    unittest.main()
