#include "access/system/leftovers.hpp"

#include <string>
#include <string_view>

#include "access/core/error.hpp"
#include "access/system/lock.hpp"
#include "access/system/temporary_file.hpp"

namespace mayfly {
namespace {

// "x-token" for "x-token.lock" and "x-token.url". Others may keep files in this directory that end
// like these.
std::string_view lock_base(std::string_view name) {
  for (const std::string_view suffix : {".lock", ".url"}) {
    if (!name.ends_with(suffix)) continue;
    const std::string_view base = name.substr(0, name.size() - suffix.size());
    if (base.ends_with("-token") || base.ends_with("-cf_key")) return base;
  }
  return {};
}

void clear_one(const StateDirectory& directory, const std::string& name) {
  if (TemporaryFile::is_name(name))
    return TemporaryFile::remove_orphan(directory.descriptor(), name);
  if (const std::string_view base = lock_base(name); !base.empty())
    remove_leftover_lock(directory, base);
}

}  // namespace

void clear_leftovers(const StateDirectory& directory) noexcept {
  try {
    for (const std::string& name : directory.list()) try {
        clear_one(directory, name);
      } catch (const Error&) {
      }
  } catch (const std::exception&) {
  }
}

}  // namespace mayfly
