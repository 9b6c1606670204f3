#include "access/forward/no_answer.hpp"

#include <fmt/core.h>

#include <chrono>

#include "access/core/error.hpp"

namespace mayfly {
namespace {

int status_of(const Error& error) {
  if (error.is_timeout()) return 504;
  return error.kind() == ErrorKind::refused ? 403 : 502;
}

}  // namespace

Page page_of(const Error& error) {
  return {.status = status_of(error), .message = error.message(), .hint = error.hint()};
}

Page too_busy() {
  return {.status = 503,
          .message = "too many requests at once",
          .hint = "try again in a moment",
          .retry_after = std::chrono::seconds(1)};
}

Page no_answer(const AskedRequest& asked, std::string_view problem) {
  return {.status = 502,
          .message = fmt::format("no answer came from {} to {}: {}",
                                 asked.site.application.authority(), asked.name(), problem),
          .hint = "try again"};
}

Page too_late(const AskedRequest& asked) {
  return {.status = 504,
          .message = fmt::format("no answer came from {} to {} in time",
                                 asked.site.application.authority(), asked.name()),
          .hint = "the application behind it may be slow or down"};
}

Page login_again(const AskedRequest& asked) {
  return {.status = 502,
          .message = fmt::format("{} asks for a login although the token is fresh",
                                 asked.site.application.authority()),
          .hint =
              "an administrator can turn off Binding Cookie for this application; or its "
              "policy changed, or this computer's clock is wrong"};
}

Page login_in_between(const AskedRequest& asked) {
  return {.status = 502,
          .message = fmt::format("the login ended while the body of {} was on its way, which is "
                                 "too long to be kept for a second try",
                                 asked.name()),
          .hint = "send it again: there is a new token now"};
}

}  // namespace mayfly
