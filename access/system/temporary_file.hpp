// A file on its way into the state directory: complete and synced before it gets its name.
#pragma once

#include <string>
#include <string_view>

#include "access/system/descriptor.hpp"

namespace mayfly {

// Named ".mayfly-<random>.tmp", mode 0600, held by flock while its writer lives: one that nobody
// holds was left by a killed process.
class TemporaryFile {
 public:
  static bool is_name(std::string_view name) noexcept;
  // Takes it away unless its writer lives; for is_name() only.
  static void remove_orphan(int directory, const std::string& name) noexcept;
  // All of a directory. Throws Error(failed) when it cannot be read.
  static void remove_orphans(int directory, const std::string& directory_path);

  // Throws Error(failed).
  TemporaryFile(int directory, std::string directory_path);
  TemporaryFile(TemporaryFile&&) noexcept;
  TemporaryFile& operator=(TemporaryFile&&) = delete;
  ~TemporaryFile();  // removes it when it has got no name

  // not_needed: for what means nothing after a crash.
  enum class Sync { to_disk, not_needed };
  void write(std::string_view content, Sync sync = Sync::to_disk);  // throws Error(failed)
  void rename_over(const std::string& name);
  // False when the name is taken.
  bool rename_to_free(const std::string& name);
  // The open file, still flock()ed.
  Descriptor release() { return std::move(file_); }

 private:
  int directory_;
  std::string directory_path_;
  std::string name_;  // "" once it has its final name
  Descriptor file_;
};

}  // namespace mayfly
