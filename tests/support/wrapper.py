"""scripts/run_memory_profile.sh in a checkout of its own, which needs no build."""

import shutil
from pathlib import Path

_WRAPPER = Path(__file__).resolve().parents[2] / "scripts" / "run_memory_profile.sh"


def lone_wrapper(root):
    """(the wrapper, the path where it looks for its tool) below `root`."""
    bin_folder = root / "build" / "release" / "bin"
    for folder in ("scripts", "lib", "tools", "cmake", bin_folder):
        (root / folder).mkdir(parents=True)
    for file in ("CMakeLists.txt", "CMakePresets.json", "build/release/.built-tools"):
        (root / file).touch()
    wrapper = root / "scripts" / _WRAPPER.name
    shutil.copy2(_WRAPPER, wrapper)
    return wrapper, bin_folder / "run_memory_profile"
