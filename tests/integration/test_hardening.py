"""What cmake/hardening.cmake asks for is in every tool that was built."""

import subprocess
import unittest

from support.run_tool import bin_dir, build_setting, is_sanitized

TOOLS = ("workload_gen", "request_runner", "gpu_mem_sampler", "memory_report",
         "run_memory_profile", "server_metrics_sampler", "smoke_test", "vllm_simulator")


@unittest.skipIf(is_sanitized(), "a sanitizer takes the place of hardening")
class Hardening(unittest.TestCase):
    def check(self, options, *patterns):
        for tool in TOOLS:
            text = subprocess.run(["readelf", *options, str(bin_dir() / tool)], check=True,
                                  capture_output=True, text=True, timeout=60).stdout
            for pattern in patterns:
                with self.subTest(tool, pattern=pattern):
                    self.assertRegex(text, pattern)

    def test_loaded_anywhere_with_nothing_to_overwrite(self):
        self.check(["-hldW"], r"Type:\s+DYN ", r"\(FLAGS_1\).*\bPIE\b", r"\(FLAGS_1\).*\bNOW\b",
                   r" GNU_RELRO ", r"GNU_STACK +(0x\w+ +){5}RW +0x")

    def test_the_stack_is_guarded_and_assertions_are_on(self):
        self.check(["--dyn-syms", "-W"], r"UND __stack_chk_fail\b",
                   r"UND _ZSt21__glibcxx_assert_fail")

    @unittest.skipIf(build_setting("CMAKE_BUILD_TYPE") == "Debug", "needs optimization")
    def test_libc_calls_know_the_size_of_their_buffers(self):
        self.check(["--dyn-syms", "-W"], r"UND __(?!stack)\w+_chk\b")


if __name__ == "__main__":
    unittest.main()
