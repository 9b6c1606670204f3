#include "access/system/directory_listing.hpp"

#include <dirent.h>
#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <string_view>

#include "access/core/error.hpp"
#include "access/core/release.hpp"
#include "access/system/descriptor.hpp"

namespace mayfly {

std::vector<std::string> list_directory(int directory, const std::string& path) {
  // A descriptor of its own: reading moves the offset that duplicates share.
  Descriptor copy(::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!copy) throw system_error("cannot read " + path, errno);
  const std::unique_ptr<DIR, Release<closedir>> entries(::fdopendir(copy.get()));
  if (!entries) throw system_error("cannot read " + path, errno);
  copy.release();
  std::vector<std::string> names;
  for (;;) {
    errno = 0;
    const dirent* entry = ::readdir(entries.get());
    if (!entry && errno != 0) throw system_error("cannot read " + path, errno);
    if (!entry) break;
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace mayfly
