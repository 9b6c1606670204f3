#include "cli/tunnel/confinement.hpp"

#include <filesystem>

#include "access/core/error.hpp"
#include "access/core/log.hpp"
#include "access/core/sandbox.hpp"
#include "access/transport/tls/token_uri.hpp"
#include "cli/environment.hpp"
#include "cli/terminal/log_sink.hpp"

namespace mayfly::cli {
namespace {

// Why not; empty when nothing speaks against it. Sanitizers and valgrind open files and map code
// when it suits them.
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

bool is_in_token(const NetworkFlags& flags) {
  return is_token_uri(flags.certificate) || is_token_uri(flags.key);
}

std::string folder_of(const std::string& path) {
  return std::filesystem::path(absolute_path(path)).parent_path().string();
}

// What the C library looks names up with, and OpenSSL the system's authorities.
constexpr const char* of_the_system[] = {"/etc",       "/usr",  "/lib", "/lib32",
                                         "/lib64",     "/run",  "/dev", "/var/lib",
                                         "/nix/store", "/proc", "/sys"};

PermittedFiles files_for(const ListenOptions& options, const NetworkFlags& flags) {
  PermittedFiles files{.read = {std::begin(of_the_system), std::end(of_the_system)},
                       .write = {"/dev/null", state_directory_path()},
                       .network = PermittedFiles::Network::outgoing};
  // A file that is renewed is another one under the same name: so their folders.
  for (const std::string& file : {flags.certificate, flags.key, flags.certificate_password_file,
                                  flags.ca_file, variable("SSL_CERT_FILE")})
    if (!file.empty()) files.read.push_back(folder_of(file));
  if (const auto folder = variable("SSL_CERT_DIR"); !folder.empty()) files.read.push_back(folder);
  if (!flags.log_directory.empty()) files.write.push_back(absolute_path(flags.log_directory));
  for (const ListenAddress& address : options.addresses)  // removed at the end
    if (!address.path.empty()) files.write.push_back(folder_of(address.path));
  return files;
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

void confine_when_ready(ListenOptions& options, const NetworkFlags& flags) {
  std::string why = objection();
  // Whatever a token's module does with files, services and memory of its own.
  if (why.empty() && is_in_token(flags)) why = "the key is in a PKCS#11 token";
  options.ready = [ready = options.ready, left = options.addresses.size(), why,
                   files = files_for(options, flags)](const ListenAddress& address) mutable {
    ready(address);
    if (--left > 0) return;
    if (!why.empty()) return tell_unconfined(why);
    tell(confine_to_connecting(files));
  };
}

}  // namespace mayfly::cli
