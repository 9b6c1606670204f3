#include "access/core/error.hpp"

#include <fmt/core.h>

#include <cerrno>
#include <system_error>

namespace mayfly {
namespace {

const char* cure_for(int error_number) {
  switch (error_number) {
    case EMFILE:
      return "raise the limit of open files: ulimit -n";
    case ENFILE:
      return "raise the system's limit of open files: sysctl fs.file-max";
    case ENOSPC:
    case EDQUOT:
      return "make room there, and run it again";
    default:
      return "";
  }
}

}  // namespace

Error system_error(std::string_view what, int error_number) {
  return Error(ErrorKind::failed,
               fmt::format("{}: {}", what, std::generic_category().message(error_number)),
               cure_for(error_number));
}

}  // namespace mayfly
