// The files that a listener may open once it is confined.
#pragma once

#include <string>
#include <vector>

#include "access/listen/listener.hpp"
#include "access/system/landlock.hpp"
#include "cli/flags/network_flags.hpp"

namespace mayfly::cli {

// What the environment says; "" where it says nothing.
struct FilePlaces {
  std::string home, state;                            // directories
  std::string authorities, directory_of_authorities;  // SSL_CERT_FILE, SSL_CERT_DIR
  std::string name_servers = "/etc/resolv.conf";

  static FilePlaces of_this_process();
};

struct ListenerFiles {
  PermittedFiles permitted;
  // Flags' files in whose directory is more than a listener may read: it has the file as it is
  // now, and another one that takes its name later is not opened.
  std::vector<std::string> not_renewed;
};
ListenerFiles listener_files(const ListenOptions& options, const NetworkFlags& flags,
                             const FilePlaces& places);

}  // namespace mayfly::cli
