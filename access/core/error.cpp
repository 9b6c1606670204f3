#include "access/core/error.hpp"

#include <fmt/format.h>

#include <system_error>

namespace mayfly {

Error system_error(std::string_view what, int error_number) {
  return Error(ErrorKind::failed,
               fmt::format("{}: {}", what, std::generic_category().message(error_number)));
}

}  // namespace mayfly
