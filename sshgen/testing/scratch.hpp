// A directory for one test, and OpenSSH's own tools that work in it.
#pragma once

#include <string>
#include <string_view>

#include "access/testing/scratch_directory.hpp"

namespace mayfly::sshgen {

class Scratch {
 public:
  const std::string& path() const noexcept { return directory_.path(); }
  std::string path_of(const std::string& name) const { return directory_ / name; }
  // Writes a file (0600) and returns its path.
  std::string file(const std::string& name, std::string_view content) const;

 private:
  testing::ScratchDirectory directory_;
};

using testing::content_of;

// Returns what a shell command prints on stdout. The test fails unless it exits with 0.
std::string output_of(const std::string& command);

// A certificate authority made by ssh-keygen.
class Authority {
 public:
  // Takes options of ssh-keygen, such as "-t rsa -b 2048".
  explicit Authority(const std::string& options = "-t ed25519");

  // Signs a public key line with `ssh-keygen -s` and these options.
  std::string sign(const std::string& public_line,
                   const std::string& options = "-I jdoe@example.com -n jdoe -V -5m:+1h") const;

 private:
  Scratch scratch_;
};

}  // namespace mayfly::sshgen
