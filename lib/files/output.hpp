#pragma once

#include <string>

namespace memprof::files {

/// What happens where an output's name is a symbolic link.
enum class Links {
  own_followed,  ///< as its user wants it, if it is the user's own or root's; another's is refused
  replaced,      ///< never written through, whoever made it: the name gets a file of its own
};

/// Where an output goes.
struct OutputPlace {
  std::string path;
  bool in_place = false;  ///< a device or a pipe: cannot be replaced by renaming
};

/// Throws a ToolError (environment) for another user's link.
OutputPlace place_of_output(const std::string& path, Links links);

/// An empty file of the name, to be written; throws a ToolError (environment) that names it.
int open_output(const std::string& path, Links links);

/// A file that was not there before, under a name made of `path`'s. Its name is put into `name`.
/// -1 and errno when there can be none.
int open_temporary(const std::string& path, std::string& name);

}  // namespace memprof::files
