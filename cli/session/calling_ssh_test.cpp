#include "cli/session/calling_ssh.hpp"

#include <doctest/doctest.h>

#include "access/core/text.hpp"

using namespace mayfly;
using namespace mayfly::cli;

namespace {

SshPurpose judge(const char* command) {
  std::vector<std::string> words;
  for (const std::string_view word : split(command, '|')) words.emplace_back(word);
  return judge_ssh(words);
}

}  // namespace

// Expected values: `ssh -G` of OpenSSH 9.2 prints "batchmode yes" for the same arguments.
TEST_CASE("the arguments of ssh say whether a person answers") {
  for (const char* command :
       {"ssh|vm", "/usr/bin/ssh|-v|vm", "ssh|vm|-G", "ssh|-p|22|vm|ls|-oBatchMode=yes",
        "ssh|-oBatchMode=no|-oBatchMode=yes|vm", "ssh|-o|BatchMode=no|vm",
        "ssh|-E|-oBatchMode=yes|vm", "ssh|-o|ConnectTimeout=15|vm", "ssh|-l|G|vm", "ssh|-lG|vm",
        "ssh|vm|--|-G"}) {
    INFO(command);
    const bool prints = std::string_view(command) == "ssh|vm|-G";
    CHECK(judge(command) == (prints ? SshPurpose::no_login : SshPurpose::connect));
  }
  for (const char* command :
       {"ssh|-oBatchMode=yes|vm", "ssh|-o|Batchmode yes|vm|pwd", "ssh|-vo|batchmode = yes|vm",
        "ssh|vm|-o|BATCHMODE=true|ls", "ssh|-obatchmode \"yes\"|vm", "ssh|-4Coobatchmode|vm",
        "ssh|-p|22|-oBatchMode=yes|vm"}) {
    INFO(command);
    const bool is_batch = std::string_view(command) != "ssh|-4Coobatchmode|vm";
    CHECK(judge(command) == (is_batch ? SshPurpose::batch : SshPurpose::connect));
  }
  for (const char* command : {"ssh|-G|vm", "ssh|-vG|vm", "ssh|-O|check|vm", "ssh|-Oexit|vm",
                              "ssh|-G|-oBatchMode=yes|vm", "ssh|-F|file|-G|vm"}) {
    INFO(command);
    CHECK(judge(command) == SshPurpose::no_login);
  }
}

// ssh_config(5): -S is ControlPath, and -M is ControlMaster.
TEST_CASE("the arguments of ssh say whether its configuration decides on multiplexing") {
  const auto leaves = [](const char* command) {
    std::vector<std::string> words;
    for (const std::string_view word : split(command, '|')) words.emplace_back(word);
    return leaves_multiplexing(words);
  };
  for (const char* command : {"ssh|vm", "ssh|-T|-D|9000|-o|ConnectTimeout=15|vm|bash",
                              "ssh|vm|ls|-S|x", "ssh|-o|ControlPersist=60s|vm", "ssh|-lM|vm"})
    CHECK_MESSAGE(leaves(command), command);
  for (const char* command :
       {"ssh|-M|vm", "ssh|-NMf|vm", "ssh|-S|none|vm", "ssh|-Sx|vm", "ssh|vm|-o|ControlPath=none",
        "ssh|-ocontrolmaster=auto|vm", "ssh|-C|-o|ControlPath=\"/tmp/%h\"|vm|true"})
    CHECK_FALSE_MESSAGE(leaves(command), command);
}
