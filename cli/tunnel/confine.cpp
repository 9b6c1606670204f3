#include "cli/tunnel/confine.hpp"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "access/core/error.hpp"
#include "access/core/log.hpp"
#include "access/core/text.hpp"
#include "access/curl/proxy_choice.hpp"
#include "access/system/sandbox.hpp"
#include "access/tls/pkcs11_uri.hpp"
#include "cli/terminal/environment.hpp"
#include "cli/terminal/log_sink.hpp"

namespace mayfly::cli {
namespace {

using std::filesystem::path;

// Returns the reason not to confine this process, or "". Sanitizers and valgrind open files and map
// code at any time.
std::string objection() {
#if defined(MAYFLY_SANITIZED)
  return "built with a sanitizer";
#else
  if (variable("LD_PRELOAD").find("vgpreload") != std::string::npos) return "under valgrind";
  return variable("MAYFLY_SANDBOX") == "off" ? "MAYFLY_SANDBOX is off" : "";
#endif
}

void tell_unconfined(const std::string& why) {
  log(LogLevel::debug, "not confined", {{"reason", why}});
}

void tell(const Confinement& confinement) {
  log(confinement.is_whole() ? LogLevel::debug : LogLevel::info, "confined",
      {{"confinement", confinement.text()}});
}

bool is_in_token(const IdentityFlags& flags) {
  return is_pkcs11_uri(flags.certificate) || is_pkcs11_uri(flags.key);
}

// On a computer that is set up for it.
bool may_use_kerberos(const TrustFlags& flags) {
  const std::string file = variable("KRB5_CONFIG");
  std::error_code ignored;
  ConnectionOptions connection;
  connection.proxy = flags.proxy;
  return std::filesystem::exists(file.empty() ? "/etc/krb5.conf" : file, ignored) &&
         may_ask_for_kerberos(connection);
}

void tell_not_renewed(const std::vector<std::string>& files) {
  for (const std::string& file : files)
    log(LogLevel::info, "a new file in its place will not be read before a restart",
        {{"file", file}, {"hint", "keep it in a directory of its own"}});
}

// The files by which the C library looks names up and OpenSSL finds CAs. The rest of /run and /dev
// holds sockets, disks and other users' files.
constexpr std::string_view system_paths =
    "/etc /usr /lib /lib32 /lib64 /var/lib /nix/store /proc /sys /run/systemd/resolve /run/nscd "
    "/run/resolvconf /run/NetworkManager /dev/null /dev/random /dev/urandom";

// Follows links as far as the path exists.
path resolved(const path& file) {
  std::error_code error;
  path real = std::filesystem::weakly_canonical(file, error);
  return error ? file.lexically_normal() : real;
}

bool holds(const path& folder, const path& file) {
  return std::mismatch(folder.begin(), folder.end(), file.begin(), file.end()).first ==
         folder.end();
}

// Landlock permits a directory with everything below it.
bool is_too_much(const path& folder, const EnvironmentPaths& paths) {
  if (folder == folder.root_path()) return true;
  const path home = paths.home, state = paths.state;
  return (!home.empty() &&
          (holds(folder, resolved(home)) || holds(folder, resolved(home / ".ssh")))) ||
         (!state.empty() && holds(folder, resolved(state)));
}

void add_once(std::vector<std::string>& to, const std::string& one) {
  if (std::ranges::find(to, one) == to.end()) to.push_back(one);
}

// Permits the directory, too, where that is possible: a renewed file is a new one under the same
// name, or at the end of the same link.
void add_file(ListenerFiles& files, const std::string& file, const EnvironmentPaths& paths) {
  if (file.empty()) return;
  const path named = absolute_path(file);
  const path real = resolved(named);
  add_once(files.permitted.open, real.string());
  for (const path& folder : {resolved(named.parent_path()), real.parent_path()}) {
    if (!paths.state.empty() && holds(resolved(paths.state), folder)) continue;  // written to
    if (is_too_much(folder, paths))
      add_once(files.not_renewed, file);
    else
      add_once(files.permitted.open, folder.string());
  }
}

}  // namespace

void confine_running_tunnel() {
  if (const std::string why = objection(); !why.empty()) return tell_unconfined(why);
  try {
    stop_rotating_log_files();
  } catch (const Error& error) {
    log(LogLevel::warn, "the log will not be rotated", {{"reason", error.message()}});
  }
  tell(confine_to_open_descriptors());
}

void confine_when_ready(ListenOptions& options, const NetworkFlags& flags,
                        const std::vector<std::string>& removed) {
  std::string why = objection();
  // The module of a PKCS#11 token may use any files, services and memory.
  if (why.empty() && is_in_token(flags.identity)) why = "the key is in a PKCS#11 token";
  // A ticket may be in any file, in the kernel's keyring or behind a service.
  if (why.empty() && may_use_kerberos(flags.trust)) why = "the proxy may want a Kerberos ticket";
  ListenerFiles files = listener_files(options, flags, EnvironmentPaths::of_this_process());
  for (const std::string& file : removed) {
    files.permitted.open.push_back(absolute_path(file));
    files.permitted.remove.push_back(path(absolute_path(file)).parent_path().string());
  }
  options.ready = [ready = options.ready, left = options.addresses.size(), why,
                   files = std::move(files)](const ListenAddress& address) mutable {
    ready(address);
    if (--left > 0) return;
    if (!why.empty()) return tell_unconfined(why);
    tell(confine_to_connecting(files.permitted));
    tell_not_renewed(files.not_renewed);
  };
}

EnvironmentPaths EnvironmentPaths::of_this_process() {
  EnvironmentPaths paths{.home = {},
                         .state = {},
                         .ca_file = variable("SSL_CERT_FILE"),
                         .ca_directory = variable("SSL_CERT_DIR")};
  try {
    paths.state = state_directory_path();
    paths.home = home_directory();
  } catch (const Error&) {  // without a home directory there are no files in it
  }
  return paths;
}

ListenerFiles listener_files(const ListenOptions& options, const NetworkFlags& flags,
                             const EnvironmentPaths& paths) {
  ListenerFiles files;
  PermittedFiles& permitted = files.permitted;
  permitted.network = PermittedFiles::Network::outgoing;
  for (const std::string_view one : split(system_paths, ' ')) permitted.read.emplace_back(one);
  if (!paths.ca_directory.empty()) permitted.read.push_back(paths.ca_directory);
  permitted.write = {"/dev/null"};
  if (!paths.state.empty()) permitted.write.push_back(paths.state);
  if (!flags.logging.directory.empty())
    permitted.write.push_back(absolute_path(flags.logging.directory));
  const IdentityFlags& identity = flags.identity;
  for (const std::string& file :
       {identity.certificate, identity.key, identity.certificate_password_file,
        identity.service_token_secret_file, flags.trust.ca_file, paths.ca_file})
    add_file(files, file, paths);
  ListenerFiles resolver;
  add_file(resolver, paths.name_servers, paths);
  for (const std::string& one : resolver.permitted.open) add_once(permitted.open, one);
  for (const ListenAddress& address : options.addresses)
    if (!address.path.empty() && address.inherited < 0)
      permitted.remove.push_back(path(absolute_path(address.path)).parent_path().string());
  return files;
}

}  // namespace mayfly::cli
