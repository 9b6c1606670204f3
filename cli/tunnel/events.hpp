// The events of a listener as lines of JSON, for a program that supervises it (--events).
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "access/core/error.hpp"
#include "access/identity/credentials.hpp"
#include "access/listen/listener.hpp"
#include "access/system/descriptor.hpp"

namespace mayfly::cli {

class Events {
 public:
  Events() = default;  // writes nothing
  // file: a path to append to, "-" for standard error, or "/dev/fd/N" for a descriptor that this
  // process was started with, which no other program inherits then. Throws usage Error for a
  // descriptor that is not open, and Error(failed) for a file that cannot be opened.
  explicit Events(const std::string& file);

  // Reports the addresses, tunnels and failures of a listener, and its login pages and logins. The
  // result does not outlive this object. name: the application's.
  void watch(ListenOptions& options, const std::string& name) const;
  void watch_tunnels(ListenerOptions& options) const;
  void watch_logins(LoginPrompt& prompt) const;
  void refused(const Error& error) const;
  void ended(int exit_code) const;

 private:
  void write(std::string_view event, nlohmann::ordered_json&& members) const;

  Descriptor file_;
};

// Returns the cf-ray in a message of access/answer/refusal.hpp, or "".
std::string ray_in(std::string_view message);

}  // namespace mayfly::cli
