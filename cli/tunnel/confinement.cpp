#include "cli/tunnel/confinement.hpp"

#include "access/core/error.hpp"
#include "access/core/log.hpp"
#include "access/system/sandbox.hpp"
#include "access/tls/pkcs11_uri.hpp"
#include "cli/environment.hpp"
#include "cli/terminal/log_sink.hpp"
#include "cli/tunnel/listener_files.hpp"

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
  return is_pkcs11_uri(flags.certificate) || is_pkcs11_uri(flags.key);
}

void tell_not_renewed(const std::vector<std::string>& files) {
  for (const std::string& file : files)
    log(LogLevel::info, "a new file in its place will not be read before a restart",
        {{"file", file}, {"hint", "keep it in a directory of its own"}});
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
                   files = listener_files(options, flags, FilePlaces::of_this_process())](
                      const ListenAddress& address) mutable {
    ready(address);
    if (--left > 0) return;
    if (!why.empty()) return tell_unconfined(why);
    tell(confine_to_connecting(files.permitted));
    tell_not_renewed(files.not_renewed);
  };
}

}  // namespace mayfly::cli
