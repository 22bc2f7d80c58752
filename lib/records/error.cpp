#include "records/error.hpp"

namespace memprof {

void throw_exception_from_error(const Error& error, const boost::source_location&) {
  throw ToolError(error);
}

}  // namespace memprof
