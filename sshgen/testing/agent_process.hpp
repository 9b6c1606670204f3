// A real ssh-agent that ends with the test.
#pragma once

#include <string>

#include "sshgen/testing/scratch.hpp"

namespace mayfly::sshgen {

class AgentProcess {
 public:
  AgentProcess();
  AgentProcess(const AgentProcess&) = delete;
  AgentProcess& operator=(const AgentProcess&) = delete;
  ~AgentProcess();

  const std::string& socket() const noexcept { return socket_; }
  // Returns the output of `ssh-add OPTIONS`. The test fails unless it exits with 0.
  std::string ssh_add(const std::string& options) const;

 private:
  Scratch scratch_;
  std::string socket_;
  int pid_ = 0;
};

}  // namespace mayfly::sshgen
