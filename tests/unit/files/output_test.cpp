#include "files/output.hpp"

#include "files/document.hpp"
#include "files/row_file.hpp"
#include "temporary_folder.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <string>

#include <sys/stat.h>
#include <unistd.h>

namespace memprof::files {
namespace {

namespace fs = std::filesystem;

class Output : public FolderTest {
 protected:
  void link(const std::string& to, const std::string& name) const {
    fs::create_symlink(to, path(name));
  }
  [[nodiscard]] bool is_link(const std::string& name) const {
    return fs::is_symlink(fs::symlink_status(path(name)));
  }
};

TEST_F(Output, ALinkOfOnesOwnIsWrittenThrough) {
  put("target", "old");
  link("target", "link");
  LineFile(path("link")).write("row\n");
  EXPECT_EQ(text_of("target"), "row\n");
  write_document(path("link"), "document");
  EXPECT_EQ(text_of("target"), "document");
  EXPECT_TRUE(is_link("link"));
  EXPECT_EQ(entries(), 2);
}

TEST_F(Output, SoIsOneThatLeadsToNothingYetOrToAnotherLink) {
  link("there", "dangling");
  link("dangling", "twice");
  LineFile(path("twice")).write("row\n");
  EXPECT_EQ(text_of("there"), "row\n");
  fs::remove(path("there"));
  write_document(path("twice"), "document");
  EXPECT_EQ(text_of("there"), "document");
}

TEST_F(Output, ALinkToADeviceIsWrittenInPlace) {
  link("/dev/full", "device");
  EXPECT_THROW(LineFile(path("device")).write("x\n"), ToolError);
  EXPECT_THROW(write_document(path("device"), "x"), ToolError);
  EXPECT_TRUE(is_link("device"));
  EXPECT_EQ(entries(), 1);
}

TEST_F(Output, AnEndlessLinkIsAnError) {
  link("b", "a");
  link("a", "b");
  EXPECT_THROW(LineFile(path("a")).write("x\n"), ToolError);
}

TEST_F(Output, AnotherUsersLinkIsRefused) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can make another user's link";
  put("target", "old");
  link("target", "link");
  ASSERT_EQ(::lchown(path("link").c_str(), 65534, 65534), 0);
  EXPECT_THROW(LineFile{path("link")}, ToolError);
  EXPECT_THROW(write_document(path("link"), "x"), ToolError);
  EXPECT_EQ(text_of("target"), "old");
  LineFile(path("link"), Links::replaced).write("row\n");
  EXPECT_EQ(text_of("target"), "old");
  EXPECT_EQ(text_of("link"), "row\n");
}

TEST_F(Output, InARunsFolderNoLinkIsWrittenThrough) {
  put("target", "old");
  for (const char* to : {"target", "nothing", "/dev/full"}) {
    link(to, "rows");
    link(to, "document");
    LineFile(path("rows"), Links::replaced).write("row\n");
    write_document(path("document"), "text", Links::replaced);
    EXPECT_EQ(text_of("rows"), "row\n");
    EXPECT_EQ(text_of("document"), "text");
    EXPECT_EQ(text_of("target"), "old");
    EXPECT_FALSE(fs::exists(path("nothing")));
    fs::remove(path("rows"));
    fs::remove(path("document"));
  }
}

TEST_F(Output, NorIsAFileOfSeveralNamesThere) {
  put("target", "old");
  fs::create_hard_link(path("target"), path("rows"));
  LineFile(path("rows"), Links::replaced).write("row\n");
  EXPECT_EQ(text_of("target"), "old");
}

TEST_F(Output, WhatIsNoFileIsLeftAloneThere) {
  ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
  fs::create_directory(path("folder"));
  for (const char* name : {"pipe", "folder"}) {
    EXPECT_THROW(LineFile(path(name), Links::replaced), ToolError);
    EXPECT_THROW(write_document(path(name), "x", Links::replaced), ToolError);
  }
  EXPECT_EQ(entries(), 2);
}

TEST_F(Output, ATemporaryNameThatIsTakenIsNotUsed) {
  put("target", "old");
  link("target", fmt::format("a.json.tmp{}", ::getpid()));
  write_document(path("a.json"), "text");
  EXPECT_EQ(text_of("target"), "old");
  EXPECT_EQ(text_of("a.json"), "text");
  EXPECT_EQ(entries(), 3);
}

}  // namespace
}  // namespace memprof::files
