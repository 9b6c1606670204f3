// The way to an application gone step by step, each of which needs some of those before it.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "access/core/url.hpp"
#include "cli/doctor/finding.hpp"
#include "cli/flags/network_flags.hpp"

namespace mayfly::cli::doctor {

struct Examined {
  Url url;
  std::string typed;        // the name typed after ssh; "" when it is not known
  std::string destination;  // HOST:PORT behind a bastion; "" for none
  NetworkFlags flags;
};

// Told when a step begins and what it found.
struct Watcher {
  std::function<void(std::string_view name)> begins = [](std::string_view) {};
  std::function<void(const Check& check)> ends = [](const Check&) {};
};

// Nobody is asked anything, no login is begun and no file changes. Every step is bounded in time.
// Throws Error(failed) at a signal.
std::vector<Check> examine(const Examined& examined, const Watcher& watcher);

}  // namespace mayfly::cli::doctor
