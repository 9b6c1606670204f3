// The rights that a running tunnel or listener gives up (access/system/sandbox.hpp). If the kernel
// lacks a sandbox, under a sanitizer or valgrind, and with MAYFLY_SANDBOX=off, the log says so.
#pragma once

#include <string>
#include <vector>

#include "access/listen/listener.hpp"
#include "access/system/landlock.hpp"
#include "cli/flags/network_flags.hpp"

namespace mayfly::cli {

// Leaves this process nothing but to move the bytes of a tunnel that is open on standard input and
// output.
void confine_running_tunnel();

// Confines the listener when all its addresses accept: then it connects, opens only the files of
// listener_files(), and starts nothing. Called when `options.ready` and `options.addresses` are
// final. removed: files that the listener removes at its end.
void confine_when_ready(ListenOptions& options, const NetworkFlags& flags,
                        const std::vector<std::string>& removed = {});

// Paths from the environment; "" if it names none.
struct EnvironmentPaths {
  std::string home, state;            // directories
  std::string ca_file, ca_directory;  // SSL_CERT_FILE, SSL_CERT_DIR
  std::string name_servers = "/etc/resolv.conf";

  static EnvironmentPaths of_this_process();
};

struct ListenerFiles {
  PermittedFiles permitted;
  // Files of the flags whose directory holds more than a listener may read: the file is permitted
  // as it is now, and a new file of that name is not.
  std::vector<std::string> not_renewed;
};
// Returns the files that a confined listener may open.
ListenerFiles listener_files(const ListenOptions& options, const NetworkFlags& flags,
                             const EnvironmentPaths& paths);

}  // namespace mayfly::cli
