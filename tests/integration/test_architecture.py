"""The picture of rooms in docs/architecture.md is the one that CMake builds."""

import re
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def linked():
    """{room or tool: rooms that its CMakeLists.txt links}"""
    edges = {}
    for file in [*ROOT.glob("lib/*/CMakeLists.txt"), *ROOT.glob("tools/*/CMakeLists.txt")]:
        text = re.sub(r"#.*", "", file.read_text())
        rooms = set(re.findall(r"memprof::(\w+)", text))
        edges[file.parent.name] = rooms | ({"cli"} if file.parts[-3] == "tools" else set())
    return edges


def drawn():
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    picture = re.search(r"flowchart BT\n(.*?)```", page, re.DOTALL).group(1)
    edges = {}
    for line in picture.strip().splitlines():
        source, _, targets = line.strip().partition(" --> ")
        edges[re.sub(r"\[.*", "", source)] = set(targets.split(" & ")) - {""}
    return edges


class Rooms(unittest.TestCase):
    def test_picture_has_the_links_of_cmake(self):
        self.assertEqual(drawn(), linked())

    def test_each_room_is_in_the_table(self):
        page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
        for folder in (ROOT / "lib").iterdir():
            self.assertIn(f"\n| `{folder.name}` | ", page)

    def test_only_process_includes_boost_process(self):
        for file in [*ROOT.glob("lib/**/*.?pp"), *ROOT.glob("tools/**/*.?pp")]:
            if "boost/process" in file.read_text(encoding="utf-8"):
                self.assertEqual(str(file.relative_to(ROOT)), "lib/process/launch.cpp")


if __name__ == "__main__":
    unittest.main()
