"""How an answer is put into bytes, and what stands before its body."""

import unittest

from fault import FaultCase
from fault_table import FRAMING


class Faults(FaultCase):
    def test_each_has_its_row_and_harms_no_other_request(self):
        for faults in FRAMING.values():
            self.show_all(faults)


if __name__ == "__main__":
    unittest.main()
