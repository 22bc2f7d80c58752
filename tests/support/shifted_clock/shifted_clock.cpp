// LD_PRELOADed into a tool: its clocks read as if the machine had been suspended or its wall clock
// set, in mid-run. $SHIFTED_CLOCK names a file of two 64-bit numbers of nanoseconds, which a test
// changes meanwhile: what CLOCK_BOOTTIME, and what CLOCK_REALTIME reads more than it is.

#include <cstdint>
#include <cstdlib>
#include <ctime>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

struct Shift {
  volatile std::int64_t boot;
  volatile std::int64_t utc;
};

const Shift& shift() {
  static const Shift none{};
  static const Shift* const shared = [] {
    const char* path = std::getenv("SHIFTED_CLOCK");
    const int fd = path != nullptr ? ::open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0) return &none;
    void* memory = ::mmap(nullptr, sizeof(Shift), PROT_READ, MAP_SHARED, fd, 0);
    ::close(fd);
    return memory == MAP_FAILED ? &none : static_cast<const Shift*>(memory);
  }();
  return *shared;
}

void add(timespec& time, std::int64_t nanoseconds) {
  const std::int64_t sum = time.tv_sec * kSecond + time.tv_nsec + nanoseconds;
  time.tv_sec = sum / kSecond;
  time.tv_nsec = sum % kSecond;
}

}  // namespace

extern "C" int clock_gettime(clockid_t clock, timespec* time) noexcept {
  const auto code = static_cast<int>(::syscall(SYS_clock_gettime, clock, time));
  if (code == 0 && clock == CLOCK_BOOTTIME) add(*time, shift().boot);
  if (code == 0 && clock == CLOCK_REALTIME) add(*time, shift().utc);
  return code;
}

// The kernel's deadline is in the kernel's time.
extern "C" int timerfd_settime(int fd, int flags, const itimerspec* when,
                               itimerspec* before) noexcept {
  itimerspec kernels = *when;
  if ((flags & TFD_TIMER_ABSTIME) != 0) {
    add(kernels.it_value, -shift().boot);
    if (kernels.it_value.tv_sec < 0 || kernels.it_value.tv_nsec < 0) kernels.it_value = {0, 1};
  }
  return static_cast<int>(::syscall(SYS_timerfd_settime, fd, flags, &kernels, before));
}
