#include "cli/tunnel/listener_files.hpp"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "access/core/error.hpp"
#include "cli/environment.hpp"

namespace mayfly::cli {
namespace {

using std::filesystem::path;

// What the C library looks names up with, and OpenSSL the system's authorities. There are
// sockets, disks and other people's files in the rest of /run and /dev.
constexpr const char* of_the_system[] = {"/etc",
                                         "/usr",
                                         "/lib",
                                         "/lib32",
                                         "/lib64",
                                         "/var/lib",
                                         "/nix/store",
                                         "/proc",
                                         "/sys",
                                         "/run/systemd/resolve",
                                         "/run/nscd",
                                         "/run/resolvconf",
                                         "/run/NetworkManager",
                                         "/dev/null",
                                         "/dev/random",
                                         "/dev/urandom"};

// Links followed, as far as there is something.
path resolved(const path& place) {
  std::error_code error;
  path real = std::filesystem::weakly_canonical(place, error);
  return error ? place.lexically_normal() : real;
}

bool holds(const path& folder, const path& place) {
  return std::mismatch(folder.begin(), folder.end(), place.begin(), place.end()).first ==
         folder.end();
}

// A rule for a directory is one for all beneath it.
bool is_too_much(const path& folder, const FilePlaces& places) {
  if (folder == folder.root_path()) return true;
  const path home = places.home, state = places.state;
  return (!home.empty() &&
          (holds(folder, resolved(home)) || holds(folder, resolved(home / ".ssh")))) ||
         (!state.empty() && holds(folder, resolved(state)));
}

void add_once(std::vector<std::string>& to, const std::string& one) {
  if (std::ranges::find(to, one) == to.end()) to.push_back(one);
}

// A file that is renewed is another one under the same name, or at the end of the same link: so its
// directory, where that can be.
void add_file(ListenerFiles& files, const std::string& file, const FilePlaces& places) {
  if (file.empty()) return;
  const path named = absolute_path(file);
  const path real = resolved(named);
  add_once(files.permitted.open, real.string());
  for (const path& folder : {resolved(named.parent_path()), real.parent_path()}) {
    if (!places.state.empty() && holds(resolved(places.state), folder)) continue;  // written to
    if (is_too_much(folder, places))
      add_once(files.not_renewed, file);
    else
      add_once(files.permitted.open, folder.string());
  }
}

}  // namespace

FilePlaces FilePlaces::of_this_process() {
  FilePlaces places{.home = {},
                    .state = {},
                    .authorities = variable("SSL_CERT_FILE"),
                    .directory_of_authorities = variable("SSL_CERT_DIR")};
  try {
    places.state = state_directory_path();
    places.home = home_directory();
  } catch (const Error&) {  // nobody's: then there is nothing in it
  }
  return places;
}

ListenerFiles listener_files(const ListenOptions& options, const NetworkFlags& flags,
                             const FilePlaces& places) {
  ListenerFiles files;
  PermittedFiles& permitted = files.permitted;
  permitted.network = PermittedFiles::Network::outgoing;
  permitted.read.assign(std::begin(of_the_system), std::end(of_the_system));
  if (!places.directory_of_authorities.empty())
    permitted.read.push_back(places.directory_of_authorities);
  permitted.write = {"/dev/null"};
  if (!places.state.empty()) permitted.write.push_back(places.state);
  if (!flags.log_directory.empty()) permitted.write.push_back(absolute_path(flags.log_directory));
  for (const std::string& file : {flags.certificate, flags.key, flags.certificate_password_file,
                                  flags.ca_file, places.authorities})
    add_file(files, file, places);
  ListenerFiles resolver;
  add_file(resolver, places.name_servers, places);
  for (const std::string& one : resolver.permitted.open) add_once(permitted.open, one);
  for (const ListenAddress& address : options.addresses)
    if (!address.path.empty())
      permitted.remove.push_back(path(absolute_path(address.path)).parent_path().string());
  return files;
}

}  // namespace mayfly::cli
