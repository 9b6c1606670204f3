#include "scratch.hpp"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <iterator>

#include "access/system/descriptor.hpp"
#include "property.hpp"

namespace mayfly::fuzz {

Scratch::Scratch() : path_(std::filesystem::temp_directory_path() / "mayfly-fuzz-XXXXXX") {
  require(::mkdtemp(path_.data()) != nullptr, "there is a directory for temporary files");
}

Scratch::~Scratch() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

void Scratch::put(std::string_view name, std::string_view content) const {
  const Descriptor file(
      ::open((*this / name).c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  const auto written = ::write(file.get(), content.data(), content.size());
  require(written == static_cast<ssize_t>(content.size()), "a temporary file can be written");
}

std::string Scratch::content(std::string_view name) const {
  std::ifstream file(*this / name, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

bool Scratch::holds(std::string_view name) const {
  struct stat status {};
  return ::lstat((*this / name).c_str(), &status) == 0;
}

void Scratch::clear() const {
  for (const auto& entry : std::filesystem::directory_iterator(path_))
    std::filesystem::remove_all(entry.path());
}

}  // namespace mayfly::fuzz
