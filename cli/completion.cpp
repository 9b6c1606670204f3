// `mayfly completion`: prints the script for a shell, and answers the scripts.
#include "cli/completion.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <iterator>
#include <set>

#include "access/core/error.hpp"
#include "access/core/text.hpp"
#include "cli/commands.hpp"
#include "cli/flags/global_flags.hpp"
#include "cli/terminal/environment.hpp"
#include "cli/terminal/message.hpp"
#include "sshconfig/hosts.hpp"
#include "sshgen/inventory.hpp"

namespace mayfly::cli {
namespace {

using Words = std::vector<std::string>;
using Kind = Completion::Kind;

void offer(Completion& completion, std::string word, std::string_view description = "") {
  completion.candidates.push_back({std::move(word), std::string(description)});
}

Completion all_names() {
  Completion completion;
  for (const Command& command : all_commands()) {
    offer(completion, std::string(command.name), command.summary);
    for (const std::string_view alias : command.aliases)
      offer(completion, std::string(alias), command.summary);
  }
  offer(completion, "access", "the commands of Access; may be left out");
  offer(completion, "forward", "the same");
  offer(completion, "--fedramp", "use the FedRAMP login service");
  offer(completion, "--help", "show the commands");
  offer(completion, "--version", "show the version");
  return completion;
}

// Finds the flag of a word without "=VALUE"; one dash counts as two.
const ArgumentFacts* flag_of(const std::vector<ArgumentFacts>& arguments, const std::string& word) {
  const bool has_letter = word.size() == 2 || word.starts_with("--");
  const std::string name = has_letter ? word : "-" + word;
  for (const ArgumentFacts& one : arguments)
    if (std::ranges::find(one.names, name) != one.names.end()) return &one;
  return nullptr;
}

Completion all_flags(const std::vector<ArgumentFacts>& arguments) {
  using ArgumentKind = ArgumentFacts::Kind;
  Completion completion;
  for (const ArgumentFacts& one : arguments)
    if (one.kind != ArgumentKind::hidden && one.kind != ArgumentKind::positional)
      for (const std::string& name : one.names) offer(completion, name, one.help);
  return completion;
}

// Completes text as a value. prefix: the part of the word before the value.
Completion value_of(const ArgumentFacts& argument, std::string prefix, std::string_view text,
                    const HostNames& hosts) {
  using Value = ArgumentFacts::Value;
  if (argument.value == Value::file) return {.kind = Kind::files};
  if (argument.value == Value::directory) return {.kind = Kind::directories};
  Completion completion;
  for (const std::string& choice : argument.choices) offer(completion, prefix + choice);
  if (argument.value != Value::host) return completion;
  if (const auto scheme = text.find("://"); scheme != text.npos)
    prefix += text.substr(0, scheme + 3);
  for (const std::string& host : hosts()) offer(completion, prefix + host);
  return completion;
}

// Completes the last of the words after a command's name.
Completion complete_arguments(const Parser& parser, const Words& words, const HostNames& hosts) {
  const auto arguments = parser.arguments();
  const std::string& current = words.back();
  const bool is_flag = current.starts_with('-');
  if (parser.leaves_arguments()) {
    Completion completion = is_flag ? all_flags(arguments) : Completion();
    completion.kind = Kind::program;
    return completion;
  }
  if (parser.program() && std::find(words.begin(), words.end() - 1, "--") != words.end() - 1)
    return {.kind = Kind::program, .candidates = {}};
  if (words.size() > 1) {
    const ArgumentFacts* before = flag_of(arguments, words[words.size() - 2]);
    if (before && before->value != ArgumentFacts::Value::none)
      return value_of(*before, "", current, hosts);
  }
  if (const auto equals = current.find('='); is_flag && equals != std::string::npos) {
    const ArgumentFacts* flag = flag_of(arguments, current.substr(0, equals));
    if (!flag) return {};
    return value_of(*flag, current.substr(0, equals + 1), current.substr(equals + 1), hosts);
  }
  if (is_flag) return all_flags(arguments);
  const auto positional =
      std::ranges::find(arguments, ArgumentFacts::Kind::positional, &ArgumentFacts::kind);
  return positional == arguments.end() ? Completion() : value_of(*positional, "", current, hosts);
}

Completion unfiltered(const Words& words, const HostNames& hosts) {
  GlobalFlags flags;
  std::size_t at = 0;
  while (at + 1 < words.size()) {
    const std::string& word = words[at];
    if (is_among(word, {"access", "forward"}))
      ++at;
    else if (word.starts_with('-'))
      at = take_global_flag({words.begin(), words.end() - 1}, at, flags);
    else
      break;
  }
  if (at + 1 >= words.size()) return all_names();
  const Command* command = find_command(words[at]);
  if (!command) return {};
  const Words rest(words.begin() + static_cast<std::ptrdiff_t>(at) + 1, words.end());
  return complete_arguments(parser_of(*command), rest, hosts);
}

constexpr std::size_t longest_file_name = 255;

// Returns whether it is a host with a path of characters that mean nothing to any shell, and its
// file_name() can be created.
bool is_offerable(std::string_view hostname) {
  constexpr std::string_view plain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._/";
  const auto host = hostname.substr(0, hostname.find('/'));
  return is_host_name(host) && hostname.size() <= longest_file_name &&
         hostname.find_first_not_of(plain) == std::string_view::npos;
}

Words hosts_of_user() {
  Inventory inventory;
  Words stems;
  if (const auto state = StateDirectory::open_existing(state_directory_path())) {
    inventory = take_inventory(*state);
    stems = sshgen::places_with_keys(*state);
  }
  return known_hosts(inventory, stems, sshconfig::configured_hosts(home_directory() + "/.ssh"));
}

// Returns the kind in the first line, then a line "WORD<tab>DESCRIPTION" for each candidate.
std::string answer(const Completion& completion) {
  constexpr std::array kinds = {"words", "files", "directories", "program"};
  std::string text = fmt::format("{}\n", kinds[static_cast<std::size_t>(completion.kind)]);
  for (const auto& [word, description] : completion.candidates)
    text.append(word).append(description.empty() ? "" : "\t" + description).append("\n");
  return text;
}

struct CompletionFlags {
  std::string shell;
  bool completes_words = false;
  Words words;
};

void bind(Parser& parser, CompletionFlags& flags) {
  parser.add_option("SHELL", flags.shell, "bash, zsh or fish").one_of({"bash", "zsh", "fish"});
  // For the scripts.
  parser.add_flag("--words", flags.completes_words, "").group("");
  parser.add_option("WORDS", flags.words, "").group("");
}

int run(CompletionFlags& flags, const Invocation&) {
  if (flags.completes_words) return print_result(answer(complete(flags.words, hosts_of_user))), 0;
  if (flags.shell.empty())
    throw Error(ErrorKind::usage, "which shell? bash, zsh or fish", "run: mayfly completion bash");
  if (!flags.words.empty())
    throw Error(ErrorKind::usage,
                fmt::format("completion takes one shell, and not {}", printable(flags.words[0])),
                "run: mayfly completion bash");
  print_result(completion_script(flags.shell));
  return 0;
}

}  // namespace

Completion complete(Words words, const HostNames& hosts) {
  if (words.empty()) words.emplace_back();
  Completion completion;
  try {
    completion = unfiltered(words, hosts);
  } catch (const Error&) {  // an unknown global flag, or no home directory
  }
  std::erase_if(completion.candidates,
                [&](const auto& one) { return !one.word.starts_with(words.back()); });
  return completion;
}

std::vector<std::string> known_hosts(const Inventory& inventory, const Words& stems_with_keys,
                                     const Words& configured) {
  std::set<std::string> names, stems;
  std::copy_if(configured.begin(), configured.end(), std::inserter(names, names.end()),
               is_offerable);
  for (const std::string& host : names) stems.insert(file_name(host));
  for (const RememberedApplication& record : inventory.applications) {
    names.insert(record.host);
    names.insert(record.application.hostname);
    stems.insert(record.place);
    stems.insert(file_name(record.application.hostname));
  }
  // A file stem alone may be a host, or a host and path. If the host is known, it is a path.
  const auto add_stem = [&](const std::string& stem) {
    const bool is_explained =
        stems.contains(stem) || std::any_of(names.begin(), names.end(), [&](const auto& host) {
          return stem.starts_with(host + "-");
        });
    if (!is_explained) names.insert(stem);
  };
  for (const TokenFile& token : inventory.tokens)
    if (token.kind == TokenFile::Kind::application) add_stem(token.place);
  for (const std::string& stem : stems_with_keys) add_stem(stem);
  Words offered;
  std::copy_if(names.begin(), names.end(), std::back_inserter(offered), is_offerable);
  return offered;
}

Command completion_command() {
  return {.name = "completion",
          .summary = "print a completion script for bash, zsh or fish",
          .usage = {.synopsis = "completion bash|zsh|fish",
                    .description = "Print a completion script for your shell.",
                    .examples = "  source <(mayfly completion bash)\n"
                                "  source <(mayfly completion zsh)\n"
                                "  mayfly completion fish | source"},
          .bind = bind_and_run<CompletionFlags, bind, run>};
}

}  // namespace mayfly::cli
