#include "files/row_file.hpp"

#include "temporary_folder.hpp"

#include <boost/describe.hpp>

#include <csignal>
#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

namespace memprof::files {

struct Pair {
  std::int64_t a = 0;
  std::string b;
};
BOOST_DESCRIBE_STRUCT(Pair, (), (a, b))

namespace {

using RowFile = FolderTest;

/// A disk that is full once a file has `bytes`: the write that crosses is cut, the next one fails.
class FullDisk {
 public:
  explicit FullDisk(rlim_t bytes) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    handler_ = std::signal(SIGXFSZ, SIG_IGN);
  }
  ~FullDisk() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;

 private:
  rlimit before_{};
  void (*handler_)(int) = nullptr;
};

TEST_F(RowFile, HasItsHeaderFromTheStart) {
  CsvFile<Pair> file(path("t.csv"));
  EXPECT_EQ(text_of("t.csv"), "a,b\n");
  file.write(Pair{1, "x,y"});
  EXPECT_EQ(text_of("t.csv"), "a,b\n1,\"x,y\"\n");
  const std::vector<Pair> rows{{2, "p"}, {3, "q"}};
  file.write(rows);
  file.write(std::vector<Pair>{});
  EXPECT_EQ(text_of("t.csv"), "a,b\n1,\"x,y\"\n2,p\n3,q\n");
  EXPECT_EQ(file.rows(), 3);
}

TEST_F(RowFile, ReplacesWhatWasThere) {
  put("t.csv", std::string(1000, 'x'));
  const CsvFile<Pair> file(path("t.csv"));
  EXPECT_EQ(text_of("t.csv"), "a,b\n");
}

TEST_F(RowFile, SaysAtOnceThatAPathIsBad) {
  try {
    const CsvFile<Pair> file(path("no/t.csv"));
    FAIL();
  } catch (const ToolError& error) {
    EXPECT_EQ(error.code(), ExitCode::environment);
    EXPECT_EQ(error.what(), path("no/t.csv") + ": cannot write: No such file or directory");
  }
  EXPECT_THROW(LineFile("/dev/full").write("x\n"), ToolError);
  EXPECT_THROW(LineFile file(path("")), ToolError);
}

TEST_F(RowFile, ADeviceIsWrittenAndStaysOne) {
  ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
  const int reader = ::open(path("pipe").c_str(), O_RDONLY | O_NONBLOCK);
  LineFile(path("pipe")).write("row\n");
  char buffer[8] = {};
  EXPECT_EQ(::read(reader, buffer, sizeof buffer), 4);
  struct stat status {};
  ASSERT_EQ(::stat(path("pipe").c_str(), &status), 0);
  EXPECT_TRUE(S_ISFIFO(status.st_mode));
  ::close(reader);
}

TEST_F(RowFile, AFullDiskKeepsWholeRows) {
  CsvFile<Pair> file(path("t.csv"));
  std::string problem;
  {
    const FullDisk disk(50);
    try {
      for (int i = 0; i < 100; ++i) file.write(Pair{i, "0123456789"});
    } catch (const ToolError& error) {
      EXPECT_EQ(error.code(), ExitCode::environment);
      problem = error.what();
    }
  }
  EXPECT_EQ(problem.find(path("t.csv") + ": cannot write: "), 0u) << problem;
  EXPECT_EQ(text_of("t.csv"), "a,b\n0,0123456789\n1,0123456789\n2,0123456789\n");
  EXPECT_EQ(file.rows(), 3);
}

TEST_F(RowFile, APipeWithoutAReaderIsAnError) {
  // The signal itself ends a tool; where it is ignored, the write says so.
  const auto handler = std::signal(SIGPIPE, SIG_IGN);
  ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
  const int reader = ::open(path("pipe").c_str(), O_RDONLY | O_NONBLOCK);
  LineFile file(path("pipe"));
  ::close(reader);
  EXPECT_THROW(file.write("row\n"), ToolError);
  std::signal(SIGPIPE, handler);
}

TEST_F(RowFile, MovesWithoutClosing) {
  LineFile first(path("t"));
  first.write("1\n");
  LineFile second(std::move(first));
  second.write("2\n");
  EXPECT_EQ(text_of("t"), "1\n2\n");
  EXPECT_EQ(second.name(), path("t"));
}

}  // namespace
}  // namespace memprof::files
