// Lines of sshd_config; the rules for words are those of sshd_config(5). tests/e2e has the real
// sshd.
#include "sshconfig/sshd_lines.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "access/core/error.hpp"

namespace mayfly::sshconfig {
namespace {

const SshdFiles files = sshd_files("/etc/ssh/sshd_config");
using Words = std::vector<std::string>;

ErrorKind refusal(const Words& values) {
  try {
    parse_principals(values);
  } catch (const Error& error) {
    return error.kind();
  }
  return ErrorKind::failed;
}

}  // namespace

TEST_CASE("sshd lines: principals of one user are merged, and each counts once") {
  const auto all = parse_principals({"deploy=jdoe,ann", "web=kim", "deploy=ann,first.last+x"});
  REQUIRE(all.size() == 2);
  CHECK(all[0].user == "deploy");
  CHECK(all[0].names == Words{"jdoe", "ann", "first.last+x"});
  CHECK(all[1].names == Words{"kim"});
  CHECK(sshd_lines(files, all) ==
        "TrustedUserCAKeys /etc/ssh/mayfly_ca.pub\n"
        "Match User deploy\n  AuthorizedPrincipalsFile /etc/ssh/mayfly_principals/deploy\n"
        "Match User web\n  AuthorizedPrincipalsFile /etc/ssh/mayfly_principals/web\n");
}

TEST_CASE("sshd lines: a name that sshd would read as something else is refused") {
  for (const std::string value : {"deploy",      "=jdoe",        "deploy=",
                                  "deploy=a,,b", "*=a",          "a?=b",
                                  "!a=b",        "a,b=c",        "a/b=c",
                                  "..=a",        "-a=b",         "a b=c",
                                  "a\nb=c",      "deploy=a b",   "deploy=#a",
                                  "deploy=a\nb", "deploy=\"a\"", "deploy=jdoe@example.com",
                                  "deploy=a\\b", "deploy=*"}) {
    CAPTURE(value);
    CHECK(refusal({value}) == ErrorKind::usage);
  }
}

TEST_CASE("sshd lines: they come before the first Match and go without a trace") {
  for (const std::string text :
       {"", "UsePAM yes\n", "UsePAM yes", "\n\n", "Match all\n", "a\nMATCH user x\n b\n match all",
        "# Match all\nUsePAM yes\n", "Match\tUser x\n", "  match=User x\n"}) {
    CAPTURE(text);
    const std::string with = with_sshd_lines(text, "TrustedUserCAKeys /x\nMatch User y\n  Z w\n");
    CHECK(has_sshd_lines(with));
    CHECK_FALSE(has_sshd_lines(text));
    CHECK(without_sshd_lines(with) == text);
    CHECK(with_sshd_lines(with, "TrustedUserCAKeys /x\nMatch User y\n  Z w\n") == with);
    const auto lines = sshd_config_lines(with);
    const auto first = std::find_if(lines.begin(), lines.end(),
                                    [](const auto& line) { return line.keyword == "match"; });
    REQUIRE(first != lines.end());
    CHECK(first->words == Words{"User", "y"});
  }
}

TEST_CASE("sshd lines: a mark without its other one is an error") {
  const std::string text = with_sshd_lines("UsePAM yes\n", "A b\n");
  const auto begin = text.find("# mayfly: begin"), end = text.find("# mayfly: end");
  for (const std::string& broken :
       {text.substr(0, end), text.substr(0, begin) + text.substr(end), text + text.substr(begin)})
    CHECK_THROWS_AS(without_sshd_lines(broken), Error);
}

TEST_CASE("sshd lines: words are split as sshd splits them") {
  const auto line = [](std::string_view text) { return sshd_config_lines(text).front(); };
  CHECK(line("\t Include=\"/a b\" /c # d").keyword == "include");
  CHECK(line("\t Include=\"/a b\" /c # d").words == Words{"/a b", "/c"});
  CHECK(line("Include = /a\r").words == Words{"/a"});
  CHECK(line("# Include /a").keyword == "");
}

TEST_CASE("sshd lines: an Include counts if its pattern covers the file, and before any Match") {
  const std::string path = files.drop_in;
  CHECK(include_of("UsePAM yes\nInclude /etc/ssh/sshd_config.d/*.conf\n", path) == 11);
  CHECK(include_of("include sshd_config.d/*.conf\n", path) == 0);
  CHECK(include_of("Include /x /etc/ssh/sshd_config.d/m*\n", path) == 0);
  for (const std::string text :
       {"", "#Include /etc/ssh/sshd_config.d/*.conf\n", "Include /etc/ssh/sshd_config.d/*.cnf\n",
        "Include /etc/ssh/*\n", "Match all\nInclude /etc/ssh/sshd_config.d/*.conf\n"}) {
    CAPTURE(text);
    CHECK(include_of(text, path) == std::string::npos);
  }
}

TEST_CASE("sshd lines: a path that sshd_config would have to quote is refused") {
  for (const std::string path :
       {"sshd_config", "/sshd_config", "/a b/c", "/a%/c", "/a*/c", "/a\"/c"})
    CHECK_THROWS_AS(sshd_files(path), Error);
}

}  // namespace mayfly::sshconfig
