// The owners and modes of the state directory and its files. Reads and changes no file.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "access/system/files.hpp"

namespace mayfly {

struct EntryFacts {
  std::string name;
  enum class Kind { file, link, other } kind = Kind::file;
  bool is_own = true;              // belongs to the user of this process
  bool is_open_to_others = false;  // group or others may read or write it
  uid_t owner = 0;
};

struct DirectoryFacts {
  bool is_open_to_others = false;  // they may list it
  bool is_writable = true;         // by us; not on a read-only file system
  std::vector<EntryFacts> entries = {};
};

// Throws Error(failed) if the directory cannot be listed.
DirectoryFacts facts_of(const StateDirectory& directory);

}  // namespace mayfly
