#include "files/document.hpp"

#include "temporary_folder.hpp"

#include <boost/describe.hpp>

#include <future>
#include <optional>
#include <string>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace memprof::files {

struct Note {
  std::string text;
  std::optional<std::int64_t> count;
};
BOOST_DESCRIBE_STRUCT(Note, (), (text, count))

namespace {

using Document = FolderTest;

std::string message_of(const std::function<void()>& run) {
  try {
    run();
  } catch (const ToolError& error) {
    EXPECT_EQ(error.code(), ExitCode::environment);
    return error.what();
  }
  return "nothing thrown";
}

TEST_F(Document, IsReplacedAndLeavesNothingBeside) {
  write_document(path("a.json"), "first, and longer\n");
  write_document(path("a.json"), "second\n");
  EXPECT_EQ(text_of("a.json"), "second\n");
  EXPECT_EQ(entries(), 1);
}

TEST_F(Document, InPiecesItAppearsWholeOrNotAtAll) {
  put("a.json", "old");
  {
    DocumentFile file(path("a.json"));
    file.write("one, ");
    file.write("two");
    EXPECT_EQ(text_of("a.json"), "old");
    file.finish();
    EXPECT_EQ(text_of("a.json"), "one, two");
  }
  { DocumentFile(path("a.json")).write("a part"); }
  EXPECT_EQ(text_of("a.json"), "one, two");
  EXPECT_EQ(entries(), 1);
  EXPECT_NE(message_of([&] { DocumentFile("/dev/full").write("x"); }).find("/dev/full: cannot"),
            std::string::npos);
}

TEST_F(Document, AReaderOfTheOldOneKeepsIt) {
  put("a.json", "old");
  const int old = ::open(path("a.json").c_str(), O_RDONLY);
  write_document(path("a.json"), "new");
  char buffer[8] = {};
  EXPECT_EQ(::read(old, buffer, sizeof buffer), 3);
  EXPECT_STREQ(buffer, "old");
  ::close(old);
}

TEST_F(Document, WhatIsNoFileIsNeverRenamedOver) {
  // A pipe stands for /dev/null and its kind: the test must not be able to destroy those.
  ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
  auto reader = std::async(std::launch::async, [&] { return text_of("pipe"); });
  write_document(path("pipe"), "through the pipe");
  EXPECT_EQ(reader.get(), "through the pipe");
  struct stat status {};
  ASSERT_EQ(::stat(path("pipe").c_str(), &status), 0);
  EXPECT_TRUE(S_ISFIFO(status.st_mode));
  EXPECT_EQ(entries(), 1);
}

TEST_F(Document, NamesFileAndReasonWhenItCannotBeWritten) {
  EXPECT_EQ(message_of([&] { write_document(path("no/a.json"), "x"); }),
            path("no/a.json") + ": cannot write: No such file or directory");
  EXPECT_EQ(message_of([&] { write_document("/dev/full", "x"); }),
            "/dev/full: cannot write: No space left on device");
  EXPECT_EQ(message_of([&] { write_document(path(""), "x"); }),
            path("") + ": cannot write: Is a directory");
  EXPECT_EQ(entries(), 0);
}

TEST_F(Document, ReadsAWholeFile) {
  const std::string large(200'000, 'x');
  put("large", large);
  put("empty", "");
  EXPECT_EQ(read_document(path("large")).value(), large);
  EXPECT_EQ(read_document(path("empty")).value(), "");
  const auto refused = read_document(path("large"), Source::regular_file, 100'000);
  ASSERT_TRUE(refused.has_error());
  EXPECT_NE(refused.error().message.find(path("large") + ": larger than"), std::string::npos);
  const auto missing = read_document(path("missing"));
  ASSERT_TRUE(missing.has_error());
  EXPECT_EQ(missing.error().code, ExitCode::environment);
  EXPECT_EQ(missing.error().message, path("missing") + ": cannot read: No such file or directory");
  EXPECT_TRUE(read_document(path("")).has_error());
}

TEST_F(Document, ReadsInPieces) {
  const std::string large(300'001, 'y');
  put("large", large);
  std::string read;
  std::size_t most = 0;
  ASSERT_FALSE(read_in_pieces(path("large"), Source::regular_file, [&](std::string_view bytes) {
                 read += bytes;
                 most = std::max(most, bytes.size());
               }).has_error());
  EXPECT_EQ(read, large);
  EXPECT_LE(most, 1u << 16);
  for (const auto source : {Source::regular_file, Source::any}) {
    EXPECT_TRUE(read_in_pieces(path("missing"), source, [](std::string_view) {}).has_error());
    EXPECT_TRUE(read_in_pieces(path(""), source, [](std::string_view) {}).has_error());
  }
}

TEST_F(Document, WaitsForNothingInTheNameOfAFile) {
  ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
  ASSERT_EQ(::symlink("/dev/zero", path("endless").c_str()), 0);
  put("real", "text");
  ASSERT_EQ(::symlink("real", path("link").c_str()), 0);
  for (const char* name : {"pipe", "endless", ""}) {
    const auto words = path(name) + ": is not a regular file";
    EXPECT_EQ(read_document(path(name)).error().message.find(words), 0u);
    const auto read = read_in_pieces(path(name), Source::regular_file, [](std::string_view) {});
    EXPECT_EQ(read.error().message.find(words), 0u);
  }
  EXPECT_EQ(read_document(path("link")).value(), "text");
  EXPECT_TRUE(read_document("-").has_error());  // stdin for those alone who say so
}

TEST_F(Document, ReadsAPipeThatItsUserHasNamed) {
  ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
  const auto write = [&] {
    const int fd = ::open(path("pipe").c_str(), O_WRONLY);
    EXPECT_EQ(::write(fd, "text", 4), 4);
    ::close(fd);
  };
  auto writer = std::async(std::launch::async, write);
  EXPECT_EQ(read_document(path("pipe"), Source::any).value(), "text");
  writer.get();
  writer = std::async(std::launch::async, write);
  std::string read;
  EXPECT_FALSE(read_in_pieces(path("pipe"), Source::any, [&](std::string_view bytes) {
                 read += bytes;
               }).has_error());
  writer.get();
  EXPECT_EQ(read, "text");
}

TEST_F(Document, JsonThereAndBack) {
  write_json(path("note.json"), Note{"hello", 3});
  EXPECT_EQ(text_of("note.json"), "{\n  \"text\": \"hello\",\n  \"count\": 3\n}\n");
  EXPECT_EQ(read_json<Note>(path("note.json")).value().count, 3);
  put("bad.json", "{\"text\": ");
  EXPECT_EQ(read_json<Note>(path("bad.json")).error().message.find(path("bad.json") + ": not JSON"),
            0u);
  put("wrong.json", "{\"count\": \"3\"}");
  EXPECT_EQ(read_json<Note>(path("wrong.json")).error().message,
            path("wrong.json") + ": count: must be a whole number");
}

}  // namespace
}  // namespace memprof::files
