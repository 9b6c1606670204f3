#include "access/system/leftovers.hpp"

#include <string>
#include <string_view>

#include "access/core/error.hpp"
#include "access/system/lock.hpp"
#include "access/system/temporary_file.hpp"

namespace mayfly {
namespace {

void clear_one(const StateDirectory& directory, const std::string& name) {
  const auto found = recognise(name);
  if (!found) return;
  if (found->kind == StateFile::temporary)
    TemporaryFile::remove_orphan(directory.descriptor(), name);
  if (found->kind == StateFile::lock || found->kind == StateFile::url)
    remove_leftover_lock(directory, found->stem);
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
