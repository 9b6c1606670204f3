// Gives every file of a corpus to its harness: replay HARNESS DIRECTORY. A broken promise aborts.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "fuzz.hpp"

namespace {

std::string content_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: replay HARNESS DIRECTORY\n");
    return 2;
  }
  const auto harness = mayfly::fuzz::harnesses().find(std::string_view(argv[1]));
  if (harness == mayfly::fuzz::harnesses().end()) {
    std::fprintf(stderr, "no harness %s\n", argv[1]);
    return 2;
  }
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(argv[2]))
    files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  harness->second("");
  for (const auto& file : files) {
    // Told before: after an abort it is the last line.
    std::printf("%s\n", file.filename().c_str());
    std::fflush(stdout);
    harness->second(content_of(file));
  }
  return files.empty() ? 1 : 0;
}
