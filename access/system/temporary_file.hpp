// A file that is complete and synced before it gets its final name.
#pragma once

#include <string>
#include <string_view>

#include "access/system/descriptor.hpp"

namespace mayfly {

// Its name is ".mayfly-<random>.tmp", its mode 0600. The writer holds a flock on it, so that a file
// without a lock was left by a killed process.
class TemporaryFile {
 public:
  static bool is_name(std::string_view name) noexcept;
  // Removes the file unless its writer lives. The name must satisfy is_name().
  static void remove_orphan(int directory, const std::string& name) noexcept;
  // Removes all orphans of a directory. Throws Error(failed) if it cannot be read.
  static void remove_orphans(int directory, const std::string& directory_path);

  // Throws Error(failed).
  TemporaryFile(int directory, std::string directory_path);
  TemporaryFile(TemporaryFile&&) noexcept;
  TemporaryFile& operator=(TemporaryFile&&) = delete;
  ~TemporaryFile();  // removes the file unless it has its final name

  // not_needed: for files without a meaning after a crash.
  enum class Sync { to_disk, not_needed };
  void write(std::string_view content, Sync sync = Sync::to_disk);  // throws Error(failed)
  // Returns the path of the file while it has its temporary name.
  std::string path() const { return directory_path_ + "/" + name_; }
  void rename_over(const std::string& name);
  // Returns false if the name is taken.
  bool rename_to_free(const std::string& name);
  // Returns the open file, which stays locked.
  Descriptor release() { return std::move(file_); }

 private:
  int directory_;
  std::string directory_path_;
  std::string name_;  // "" once it has its final name
  Descriptor file_;
};

}  // namespace mayfly
