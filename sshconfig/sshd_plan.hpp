// The files of mayfly beside an sshd_config as they are, and the changes of them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "access/system/descriptor.hpp"
#include "sshconfig/changes.hpp"
#include "sshconfig/sshd_lines.hpp"

namespace mayfly::sshconfig {

// The files as they are, under a lock.
class SshdInstallation {
 public:
  // Removes what killed commands left. Throws Error(failed) with a hint: there is no sshd_config,
  // others than root can write in a folder, a file of mayfly's name is not of mayfly, or another
  // process holds the lock.
  explicit SshdInstallation(const std::string& config_path);

  struct OwnFile {
    std::string path;
    ExistingFile file;
  };
  SshdFiles files;
  std::optional<ExistingFile> config, drop_in, ca;
  std::vector<OwnFile> principals;  // of mayfly

 private:
  void clear_leftovers() const;
  void read_principals();

  Descriptor lock_;
};

struct SshdPlan {
  std::vector<Change> changes;       // in their order
  std::vector<std::string> folders;  // to make before a writing, or to remove after a removal
};

// Until sshd knows the lines, no file that they name may be missing; a file goes when no line names
// it any more. `ca_keys` are lines.
SshdPlan plan_sshd_writing(const SshdInstallation& now, std::string_view ca_keys,
                           const std::vector<UserPrincipals>& principals);
SshdPlan plan_sshd_removal(const SshdInstallation& now);

}  // namespace mayfly::sshconfig
