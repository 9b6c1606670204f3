#include "sshgen/testing/scratch.hpp"

#include <doctest/doctest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>

namespace mayfly::sshgen {

std::string Scratch::file(const std::string& name, std::string_view content) const {
  auto path = path_of(name);
  testing::put(path, content);
  ::chmod(path.c_str(), 0600);
  return path;
}

std::string output_of(const std::string& command) {
  INFO(command);
  FILE* pipe = ::popen(command.c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::string output;
  for (int c = std::fgetc(pipe); c != EOF; c = std::fgetc(pipe)) output += static_cast<char>(c);
  REQUIRE(::pclose(pipe) == 0);
  return output;
}

Authority::Authority(const std::string& options) {
  output_of("ssh-keygen -q -N '' " + options + " -f " + scratch_.path_of("ca"));
}

std::string Authority::sign(const std::string& public_line, const std::string& options) const {
  const auto file = scratch_.file("key.pub", public_line);
  output_of("ssh-keygen -q -s " + scratch_.path_of("ca") + " " + options + " " + file);
  return content_of(scratch_.path_of("key-cert.pub"));
}

}  // namespace mayfly::sshgen
