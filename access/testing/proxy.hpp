// For tests: an HTTP proxy on loopback that passes CONNECT on to one port, whatever host is asked
// for.
#pragma once

#include <memory>
#include <string>

namespace mayfly::testing {

class TestProxy {
 public:
  explicit TestProxy(int target_port);
  TestProxy(const TestProxy&) = delete;
  TestProxy& operator=(const TestProxy&) = delete;
  ~TestProxy();

  int port() const noexcept;
  void refuse(const std::string& answer);  // from now on
  void ask_for_login();                    // of Basic, from now on; it takes any
  std::string request() const;             // the last one

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace mayfly::testing
