// A block of ssh_config asked for by six lines: kind (a digit; from 3 to 5 with a fallback), host,
// user, alias, state directory, flag.
#pragma once

#include "fuzz.hpp"
#include "sshconfig/render.hpp"

namespace mayfly::fuzz {

inline sshconfig::BlockOptions block_request(Input& lines) {
  using Certificate = sshconfig::BlockOptions::Certificate;
  constexpr Certificate kinds[] = {Certificate::none, Certificate::short_lived, Certificate::agent};
  sshconfig::BlockOptions options;
  options.program = "/usr/bin/mayfly";
  const auto choice = lines.byte();
  options.certificate = kinds[choice % 3];
  if (choice / 3 % 2 == 1) options.fallback = sshconfig::BlockOptions::Fallback::tunnel;
  lines.line();
  options.host = lines.line();
  if (const auto user = lines.line(); !user.empty()) options.user = user;
  if (const auto alias = lines.line(); !alias.empty()) options.alias = alias;
  options.state_directory = lines.line();
  if (const auto flag = lines.line(); !flag.empty()) options.connection_flags.emplace_back(flag);
  return options;
}

}  // namespace mayfly::fuzz
