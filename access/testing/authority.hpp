// For tests: a certification authority in a temporary directory, run with the openssl command.
#pragma once

#include <string>
#include <string_view>

#include "access/testing/scratch_directory.hpp"

namespace mayfly::testing {

class TestAuthority {
 public:
  // ca.pem and ca.key; CN is name.
  explicit TestAuthority(const std::string& name = "Test Root");

  std::string path(std::string_view name) const { return directory_ / name; }
  // Runs a shell command in the directory; the test fails when it does.
  void run(const std::string& command) const;
  // name.pem and name.key (P-256, PKCS#8, mode 0600); options: more for `openssl req`.
  void issue(const std::string& name, const std::string& options) const;
  // The same for a server of those subjectAltNames ("DNS:a.example,IP:127.0.0.1").
  void issue_server(const std::string& name, const std::string& alternatives) const;
  struct Validity {
    std::string from, to;  // "20200131235959Z"
  };
  void issue_dated_server(const std::string& name, const std::string& alternatives,
                          const Validity& valid) const;
  // One that was valid on the first day of 2020.
  void issue_expired_server(const std::string& name, const std::string& alternatives) const {
    issue_dated_server(name, alternatives, {"20200101000000Z", "20200102000000Z"});
  }

  std::string read(std::string_view name) const;
  void write(std::string_view name, std::string_view content) const;

 private:
  ScratchDirectory directory_;
};

}  // namespace mayfly::testing
