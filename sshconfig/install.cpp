#include "sshconfig/install.hpp"

#include "access/core/error.hpp"
#include "access/system/temporary_file.hpp"
#include "sshconfig/host_keys.hpp"

namespace mayfly::sshconfig {
namespace {

struct SshFiles {
  std::string own_path, config_path, authorities_path;
  std::optional<ExistingFile> own = {}, config = {}, authorities = {};
};

SshFiles read_files(const InstallPaths& paths) {
  SshFiles files{paths.ssh_directory + "/" + paths.own_file, paths.ssh_directory + "/config",
                 paths.ssh_directory + "/" + paths.host_authorities};
  files.own = read_existing(files.own_path);
  files.config = read_existing(files.config_path);
  files.authorities = read_existing(files.authorities_path);
  return files;
}

void change_authorities(std::vector<Change>& changes, const SshFiles& files, std::string after) {
  if (!files.authorities && after.empty()) return;
  Change change = change_to(files.authorities_path, files.authorities, std::move(after));
  if (change.after.empty()) change.kind = Change::Kind::remove;
  add_change(changes, std::move(change));
}

}  // namespace

std::vector<Change> plan_install(const InstallPaths& paths, std::string_view host,
                                 std::string_view block,
                                 const std::vector<std::string>& host_authorities) {
  if (host.empty()) throw Error(ErrorKind::usage, "no host to write a block for", "add --hostname");
  const SshFiles files = read_files(paths);
  std::string own = with_block(content_of(files.own), host, block);
  if (!files.config) own = with_made_note(own);
  const std::string config = with_include(content_of(files.config), files.own_path);
  std::vector<Change> changes;
  change_authorities(changes, files,
                     with_host_authorities(content_of(files.authorities), host, host_authorities));
  add_change(changes, change_to(files.own_path, files.own, own));
  add_change(changes, change_to(files.config_path, files.config, config));
  return changes;
}

std::vector<Change> plan_removal(const InstallPaths& paths, std::string_view host) {
  using Kind = Change::Kind;
  const SshFiles files = read_files(paths);
  const std::string before = content_of(files.own);
  std::string own = before, authorities = content_of(files.authorities);
  const std::vector<std::string> hosts =
      host.empty() ? hosts_with_blocks(before) : std::vector{std::string(host)};
  for (const std::string& each : hosts) {
    own = without_block(own, each);
    // Keys of first connections stay, so that a block that comes back accepts no others.
    authorities = with_host_authorities(authorities, each, {});
  }
  std::vector<Change> changes;
  if (!is_bare(own)) {
    add_change(changes, change_to(files.own_path, files.own, own));
    change_authorities(changes, files, authorities);
    return changes;
  }
  if (files.config) {
    const std::string config = without_include(files.config->content, files.own_path);
    const bool ours = config.empty() && has_made_note(before);
    add_change(changes, {files.config_path, files.config->content, config,
                         ours ? Kind::remove : Kind::replace, files.config->mode});
  }
  if (files.own) add_change(changes, {files.own_path, before, "", Kind::remove, files.own->mode});
  change_authorities(changes, files, authorities);
  return changes;
}

void clear_leftovers(const InstallPaths& paths) noexcept {
  for (const std::string& name : {paths.own_file, std::string("config")}) try {
      const std::string path = paths.ssh_directory + "/" + name;
      const std::string directory = split_path(is_link(path) ? resolved(path) : path).directory;
      TemporaryFile::remove_orphans(open_directory(directory).get(), directory);
    } catch (const Error&) {  // no directory, nothing left
    }
}

}  // namespace mayfly::sshconfig
