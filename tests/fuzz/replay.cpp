// Gives every file of a corpus to its harness, then inputs made from them: replay HARNESS
// DIRECTORY. MAYFLY_FUZZ_SECONDS says how long (0.3), MAYFLY_FUZZ_SEED which inputs (1). A broken
// promise aborts, and leaves its input in a file.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "fuzz.hpp"
#include "last_input.hpp"
#include "mutate.hpp"

namespace mayfly::fuzz {
namespace {

std::string content_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<std::string> corpus_of(const char* directory) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(directory))
    files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  std::vector<std::string> corpus;
  for (const auto& file : files) corpus.push_back(content_of(file));
  return corpus;
}

double setting(const char* name, double otherwise) {
  const char* given = std::getenv(name);
  return given == nullptr ? otherwise : std::atof(given);
}

long try_changed(Run run, const std::vector<std::string>& corpus) {
  using Clock = std::chrono::steady_clock;
  const std::chrono::duration<double> seconds(setting("MAYFLY_FUZZ_SECONDS", 0.3));
  Mutator mutator(corpus, static_cast<std::uint64_t>(setting("MAYFLY_FUZZ_SEED", 1)));
  long count = 0;
  for (const auto began = Clock::now(); Clock::now() - began < seconds; ++count) {
    const std::string input = mutator.next();
    trying(input);
    run(input);
  }
  return count;
}

int replay(const char* name, const char* directory) {
  const auto harness = harnesses().find(std::string_view(name));
  if (harness == harnesses().end()) {
    std::fprintf(stderr, "no harness %s\n", name);
    return 2;
  }
  const auto corpus = corpus_of(directory);
  if (corpus.empty()) return 1;
  save_last_input_to(std::filesystem::temp_directory_path() /
                     ("mayfly-broke-" + std::string(name)));
  harness->second("");
  for (const auto& input : corpus) {
    trying(input);
    harness->second(input);
  }
  std::printf("%zu inputs, and %ld made from them\n", corpus.size(),
              try_changed(harness->second, corpus));
  return 0;
}

}  // namespace
}  // namespace mayfly::fuzz

int main(int argc, char** argv) {
  if (argc == 3) return mayfly::fuzz::replay(argv[1], argv[2]);
  std::fprintf(stderr, "usage: replay HARNESS DIRECTORY\n");
  return 2;
}
