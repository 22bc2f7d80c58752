"""The page in a run's folder."""

import hashlib
import os
import unittest

from profile_case import FAKE_GPUS, ProfileCase, answers, held
from support.scripted_server import ScriptedServer


class ReportPage(ProfileCase):
    def test_it_is_a_file_of_the_run(self):
        with ScriptedServer(answers()) as server:
            ended, folder = self.profile(server, env=FAKE_GPUS)
        self.assertEqual(ended.returncode, 0, ended.stderr)
        manifest = self.assert_files_parse(folder)
        page = (folder / "report.html").read_bytes()
        self.assertEqual(manifest["files"]["report"], "report.html")
        self.assertEqual(manifest["file_checks"]["report.html"],
                         {"bytes": len(page), "sha256": hashlib.sha256(page).hexdigest()})
        self.assertIn(manifest["file_checks"]["request_trace.csv"]["sha256"].encode(), page)
        self.assertIn(folder.name.encode(), page)
        self.assertNotIn(b'class="banner', page)

    def test_one_that_cannot_be_written_loses_nothing(self):
        with ScriptedServer(answers(held)) as server:
            with self.running(server, env=FAKE_GPUS) as (process, _):
                server.wait_for(lambda s: s.in_flight >= 2)
                folder = self.run_folder()
                os.mkdir(folder / "report.html")
                server.release()
                _, words = process.communicate(timeout=30)
        self.assertEqual(process.returncode, 0, words)
        self.assertIn("no report page: ", words)
        manifest = self.assert_files_parse(folder)
        self.assertIsNone(manifest["files"]["report"])
        self.assertIs(manifest["interrupted"], False)
        self.assertIn("summary.json", manifest["file_checks"])


if __name__ == "__main__":
    unittest.main()
