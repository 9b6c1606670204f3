// A command of mayfly: its name, one line of help, and the function that runs it.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace CLI {
class App;
}

namespace mayfly::cli {

struct Invocation {
  std::string name;                    // as typed: "ssh", "tcp", ...
  std::vector<std::string> arguments;  // what follows the name
  enum class Cloud { commercial, fedramp } cloud = Cloud::commercial;  // `access --fedramp`
  // When it is set, the command hands its parser over instead of running.
  std::function<void(const CLI::App&)> show_parser = nullptr;
};

struct Command {
  std::string_view name;  // of several that mean the same, the first
  std::string_view summary;
  int (*run)(const Invocation&);  // returns the exit code; throws Error
  std::vector<std::string_view> aliases = {};
};

std::span<const Command> all_commands();
// nullptr when there is none of that name or alias.
const Command* find_command(std::string_view name);

int run_login(const Invocation& invocation);
int run_token(const Invocation& invocation);
int run_curl(const Invocation& invocation);
int run_tunnel(const Invocation& invocation);
int run_socks(const Invocation& invocation);
int run_http(const Invocation& invocation);
int run_ssh_config(const Invocation& invocation);
int run_ssh_gen(const Invocation& invocation);
int run_status(const Invocation& invocation);
int run_logout(const Invocation& invocation);
int run_doctor(const Invocation& invocation);
int run_completion(const Invocation& invocation);

}  // namespace mayfly::cli
