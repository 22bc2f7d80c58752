"""What becomes of connections."""

import unittest

from fault import FaultCase
from fault_table import PATH


class Faults(FaultCase):
    def test_each_has_its_row_and_harms_no_other_request(self):
        for faults in PATH.values():
            self.show_all(faults)


if __name__ == "__main__":
    unittest.main()
