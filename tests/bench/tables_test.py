"""Runs become medians and ratios as the tables claim."""
import os
import sys
import unittest

sys.path.insert(0, os.getcwd())  # bench/
from comparison import machine, servers, tables  # noqa: E402


def run(a_second, others, **more):
    return {"a_second": a_second, "others": others, "p50_us": 1.0, "p99_us": 2000.0, "p999_us": 250000.0, "cpu_us": 0.5, **more}


class Tables(unittest.TestCase):
    def test_the_quietest_runs_count(self):
        s = tables.summary([run(100, 50), run(10, 1), run(20, 2), run(30, 3)], 3)
        self.assertEqual((s["a_second"], s["lowest"], s["highest"], s["others"], s["runs"]), (20, 10, 30, [1, 3], 3))

    def test_ratios_are_ours_to_theirs_in_the_same_cell(self):
        cell, other = servers.Cell("f3", 50, 1), servers.Cell("f3", 50, 16)
        cells = {(cell, "holdfast"): tables.summary([run(600, 0)], 1), (cell, "redis"): tables.summary([run(200, 0, failed=7)], 1),
                 (other, "redis"): tables.summary([run(1, 0)], 1)}
        rows = tables.rows(cells)
        self.assertEqual([r[8] for r in rows], ["", "3.0 x", ""])
        self.assertEqual(rows[1][3], "redis (7 failed)")
        self.assertEqual(rows[0][6], "1 us / 2.0 ms / 250 ms")

    def test_numbers_are_short(self):
        self.assertEqual([tables.rate(n) for n in (None, 999, 1000, 2_345_678)], ["-", "999", "1.0 k", "2.35 M"])
        self.assertEqual([tables.times(r) for r in (0.5, 3.14, 42.4)], ["0.50 x", "3.1 x", "42 x"])
        self.assertEqual(tables.time(1_340_000), "1.34 s")

    def test_a_table_has_one_line_a_row_in_both_forms(self):
        self.assertEqual(tables.markdown([["1", "2"]], ["a", "b"]), "| a | b |\n| --- | --- |\n| 1 | 2 |")
        self.assertEqual(tables.text([["1", "22"]], ["aaa", "b"]), "aaa  b\n1    22")

    def test_what_others_use_is_what_is_not_ours(self):
        self.assertEqual(machine.others_percent(3.0, 4.0, 2.0), 50)
        self.assertEqual(machine.others_percent(4.1, 4.0, 2.0), 0)
        self.assertGreater(machine.busy_s(), 0)
        self.assertGreater(machine.tree_s(os.getpid()), 0)


class Halls(unittest.TestCase):
    def test_only_whole_sales_are_made_smaller(self):
        self.assertEqual(servers.hall(servers.Cell("f3", 50, 1), True), 50_000)
        self.assertEqual(servers.hall(servers.Cell("f1", 50, 1), False), 20_000)
        self.assertEqual(servers.hall(servers.Cell("f1", 50, 128), True), 4_000)


if __name__ == "__main__":
    unittest.main()
