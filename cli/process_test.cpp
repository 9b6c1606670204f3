// What is left of a command line for everybody on the machine to read.
#include "cli/process.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace mayfly::cli;
using Words = std::vector<std::string>;

namespace {

Words hidden(Words words) {
  words.insert(words.begin(), "mayfly");
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  hide_secrets(static_cast<int>(argv.size()), argv.data());
  words.erase(words.begin());
  return words;
}

}  // namespace

TEST_CASE("arguments: secrets are overwritten in every spelling") {
  struct Case {
    Words words, hidden;
  };
  const Case cases[] = {
      {{"ssh", "--service-token-secret", "abc"}, {"ssh", "--service-token-secret", "***"}},
      {{"ssh", "-secret=abc", "--id", "x"}, {"ssh", "-secret=***", "--id", "x"}},
      {{"--secret", "abc", "ssh"}, {"--secret", "***", "ssh"}},
      {{"ssh", "-H", "A: b"}, {"ssh", "-H", "A:**"}},
      {{"ssh", "-HA: b"}, {"ssh", "-HA:**"}},
      {{"ssh", "-H=A: b"}, {"ssh", "-H=A:**"}},
      {{"ssh", "-vH", "A: b"}, {"ssh", "-vH", "A:**"}},
      {{"ssh", "-vHA: b"}, {"ssh", "-vHA:**"}},
      {{"ssh", "--header", "A: b:c"}, {"ssh", "--header", "A:****"}},
      {{"ssh", "--header=A: b"}, {"ssh", "--header=A:**"}},
      {{"ssh", "-header=A: b"}, {"ssh", "-header=A:**"}},
      {{"ssh", "-header", "secret"}, {"ssh", "-header", "******"}},
      {{"--cert", "pkcs11:token=t?pin-value=12&module-path=/m"},
       {"--cert", "pkcs11:token=t?pin-value=**&module-path=/m"}},
      {{"--cert=pkcs11:token=t?PIN-value=12"}, {"--cert=pkcs11:token=t?PIN-value=**"}},
      {{"--cert", "pkcs11:token=x?pin-value=12|34;56&a=b"},
       {"--cert", "pkcs11:token=x?pin-value=********&a=b"}},
      {{"-key", "pkcs11:?a=b&pin-value=1%322"}, {"-key", "pkcs11:?a=b&pin-value=*****"}},
      {{"--proxy", "http://u:p@h:1"}, {"--proxy", "http://***@h:1"}},
      {{"--proxy=http://u:p@x@h:1"}, {"--proxy=http://*****@h:1"}},
      {{"-proxy=u:p@h:1"}, {"-proxy=***@h:1"}},
      {{"--proxy", "u:p@h:1"}, {"--proxy", "***@h:1"}},
      {{"--hostname", "https://u:p@h/"}, {"--hostname", "https://***@h/"}},
      {{"-T", "u:p@h"}, {"-T", "***@h"}},
      {{"login", "https://u:p@h"}, {"login", "https://***@h"}},
      {{"access", "curl", "-u", "a:b", "-HA: b"}, {"access", "curl", "**", "***", "******"}},
  };
  for (const Case& one : cases) {
    CAPTURE(one.words);
    CHECK(hidden(one.words) == one.hidden);
  }
}

TEST_CASE("arguments: all others stay") {
  for (const Words& words :
       {Words{"tcp", "--hostname", "db.example.com", "--url", "127.0.0.1:5432", "-v"},
        {"http", "--url=HOST:80", "--service-token-secret-file", "f", "-L127.0.0.1:1"},
        {"ssh", "--cert", "pkcs11:token=t?pin-source=/f", "--secret-file"}})
    CHECK(hidden(words) == words);
}
