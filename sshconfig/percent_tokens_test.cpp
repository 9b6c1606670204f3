#include "sshconfig/percent_tokens.hpp"

#include <doctest/doctest.h>

using mayfly::sshconfig::with_tokens;

// As `ssh -G -o ControlPath=... host` of OpenSSH 9.2 expands them; ssh refuses unknown ones.
TEST_CASE("tokens are replaced once, and %% is a percent sign") {
  const std::map<char, std::string> values{{'h', "vm.example.com"}, {'u', "%h"}};
  CHECK(with_tokens("/etc/%h/%%h", values) == "/etc/vm.example.com/%h");
  CHECK(with_tokens("%u", values) == "%h");
  CHECK(with_tokens("%x%", values) == "%x%");
  CHECK(with_tokens("", values).empty());
}
