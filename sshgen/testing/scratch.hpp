// A directory for one test, with OpenSSH's own tools at work in it.
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

// What a shell command prints on stdout; the test fails when its exit status is not 0.
std::string output_of(const std::string& command);

// A certificate authority made by ssh-keygen.
class Authority {
 public:
  // options as ssh-keygen takes them: "-t rsa -b 2048".
  explicit Authority(const std::string& options = "-t ed25519");

  // `ssh-keygen -s` over a public key line; more options go in before the file name.
  std::string sign(const std::string& public_line,
                   const std::string& options = "-I jdoe@example.com -n jdoe -V -5m:+1h") const;

 private:
  Scratch scratch_;
};

}  // namespace mayfly::sshgen
