#include "access/identity/login_options.hpp"

#include <fmt/core.h>

#include "access/core/text.hpp"

namespace mayfly {

std::string objection_to_login(const CredentialOptions& options) {
  return options.login == CredentialOptions::Login::allowed ? options.objection_to_browser()
                                                            : "logging in is not allowed here";
}

Error login_needed(const Url& url, std::string_view why) {
  return Error(
      ErrorKind::login_needed, fmt::format("a login to {} is needed: {}", url.host, why),
      fmt::format("run: mayfly access login {}", pasted_word(printable(url.origin() + url.path))));
}

}  // namespace mayfly
