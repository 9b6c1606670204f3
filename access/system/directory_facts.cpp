#include "access/system/directory_facts.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "access/core/error.hpp"

namespace mayfly {
namespace {

bool is_open_to_others(const struct stat& status) {
  return (status.st_mode & (S_IRWXG | S_IRWXO)) != 0;
}

EntryFacts facts_of_entry(const std::string& name, const struct stat& status) {
  const auto kind = S_ISREG(status.st_mode)   ? EntryFacts::Kind::file
                    : S_ISLNK(status.st_mode) ? EntryFacts::Kind::link
                                              : EntryFacts::Kind::other;
  return {name, kind, status.st_uid == ::geteuid(), is_open_to_others(status), status.st_uid};
}

}  // namespace

DirectoryFacts facts_of(const StateDirectory& directory) {
  struct stat status {};
  if (::fstat(directory.descriptor(), &status) != 0)
    throw system_error("cannot look at " + directory.path(), errno);
  DirectoryFacts facts{.is_open_to_others = is_open_to_others(status), .entries = {}};
  facts.is_writable = ::faccessat(directory.descriptor(), ".", W_OK, AT_EACCESS) == 0;
  for (const std::string& name : directory.list()) {
    // What is gone by now was another's temporary file.
    if (::fstatat(directory.descriptor(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0)
      facts.entries.push_back(facts_of_entry(name, status));
  }
  return facts;
}

}  // namespace mayfly
