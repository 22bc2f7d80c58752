"""docs/reliability.md shows the faults that the tests carry out."""

import unittest

from fault_table import PAGE, TABLE, page_with_table


class FaultTable(unittest.TestCase):
    def test_the_page_has_the_table(self):
        page = PAGE.read_text(encoding="utf-8")
        self.assertEqual(page, page_with_table(page),
                         "run: python3 tests/faults/fault_table.py --write-docs")

    def test_no_fault_stands_there_twice(self):
        seen = set()
        for group, faults in TABLE.items():
            for each in faults:
                for how in each.how:
                    key = (group, each.path, how, each.status, each.note, each.words)
                    self.assertNotIn(key, seen)
                    seen.add(key)


if __name__ == "__main__":
    unittest.main()
