// A directory that a test removes at its end, and files in it.
#pragma once

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <filesystem>
#include <string>

#include "access/testing/scratch_directory.hpp"

namespace mayfly::sshconfig {

using testing::content_of, testing::ScratchDirectory;

inline void put_file(const std::string& path, const std::string& content, mode_t mode = 0600) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  testing::put(path, content);
  REQUIRE(::chmod(path.c_str(), mode) == 0);
}

}  // namespace mayfly::sshconfig
