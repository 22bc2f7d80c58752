"""What others have laid in a run's way: links where it writes, programs with its tools' names."""

import os
import time
import unittest
from pathlib import Path

from integration.profile_case import ProfileCase, answers, held, loaded
from support.run_tool import bin_dir, finish
from support.scripted_server import ScriptedServer

FAKE = "#!/bin/sh\necho used > \"$FAKE_MARK\"\nexit 9\n"


class PlantedLinks(ProfileCase):
    def victim(self):
        path = self.out / "victim"
        path.write_text("untouched")
        path.chmod(0o666)
        return path

    def test_a_link_with_the_next_runs_name_is_passed_by(self):
        elsewhere = self.out / "elsewhere"
        elsewhere.mkdir(mode=0o777)
        elsewhere.chmod(0o777)
        for second in range(30):
            name = time.strftime("%Y%m%d_%H%M%S", time.localtime(time.time() + second))
            (self.out / name).symlink_to(elsewhere if second % 2 else self.out / "nothing")
        with ScriptedServer(answers()) as server:
            ended, folder = self.profile(server)
        self.assertEqual(ended.returncode, 0, ended.stderr)
        self.assertTrue(folder.name.endswith("-2"), folder)
        self.assertEqual(list(elsewhere.iterdir()), [])
        self.assertFalse((self.out / "nothing").exists())

    def test_links_inside_the_run_are_replaced(self):
        victim = self.victim()
        planted = ["summary.json", "report.html", "logs/request_runner.stats.json"]
        with ScriptedServer(answers(held)) as server:
            with self.running(server) as (process, _):
                server.wait_for(loaded, 30)
                folder = self.run_folder()
                for name in planted:
                    (folder / name).symlink_to(victim)
                (folder / "manifest.json").unlink()
                (folder / "manifest.json").symlink_to(victim)
                server.release()
                ended = finish(process, 60)
        self.assertEqual(ended.returncode, 0, ended.stderr)
        self.assertEqual(victim.read_text(), "untouched")
        for name in [*planted, "manifest.json"]:
            self.assertFalse((folder / name).is_symlink(), name)

    def test_nobody_else_can_write_into_it(self):
        with ScriptedServer(answers()) as server:
            _, folder = self.profile(server, umask=0)
        for path in (folder, folder / "logs"):
            self.assertEqual(path.stat().st_mode & 0o777, 0o755, path)


class PlantedPrograms(ProfileCase):
    def test_tools_are_taken_from_beside_the_binary_alone(self):
        fakes = self.out / "fakes"
        fakes.mkdir()
        for tool in ("request_runner", "workload_gen", "gpu_mem_sampler"):
            (fakes / tool).write_text(FAKE)
            (fakes / tool).chmod(0o755)
        mark = self.out / "mark"
        (fakes / "run_memory_profile").symlink_to(bin_dir() / "run_memory_profile")
        hostile = {"PATH": f"{fakes}:.:{os.environ['PATH']}", "FAKE_MARK": str(mark)}
        with ScriptedServer(answers()) as server:
            ended, folder = self.profile(server, env=hostile, cwd=fakes)
            self.assertEqual(ended.returncode, 0, ended.stderr)
            self.assertFalse(mark.exists())


if __name__ == "__main__":
    unittest.main()
