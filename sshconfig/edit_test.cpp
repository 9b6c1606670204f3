#include "sshconfig/edit.hpp"

#include <doctest/doctest.h>

#include "access/core/error.hpp"

using namespace mayfly::sshconfig;

namespace {

constexpr const char* own_path = "/home/jdoe/.ssh/mayfly_config";
constexpr const char* include = "Include /home/jdoe/.ssh/mayfly_config";

}  // namespace

TEST_CASE("edit: blocks between marks, wildcards last") {
  std::string own = with_block("", "*.example.com", "Host *.example.com\n");
  own = with_block(own, "vm.example.com", "Host vm.example.com\n");
  own = with_block(own, "other.example.com/git", "Host other.example.com\n");
  CHECK(own ==
        "# Written by mayfly ssh-config --write; taken out by mayfly ssh-config --remove.\n"
        "\n"
        "# mayfly: begin vm.example.com\n"
        "Host vm.example.com\n"
        "# mayfly: end vm.example.com\n"
        "\n"
        "# mayfly: begin other.example.com/git\n"
        "Host other.example.com\n"
        "# mayfly: end other.example.com/git\n"
        "\n"
        "# mayfly: begin *.example.com\n"
        "Host *.example.com\n"
        "# mayfly: end *.example.com\n");
  CHECK(hosts_with_blocks(own) ==
        std::vector<std::string>{"vm.example.com", "other.example.com/git", "*.example.com"});
}

TEST_CASE("edit: a block is replaced where it stands") {
  const std::string two =
      with_block(with_block("", "a.example.com", "A\n"), "b.example.com", "B\n");
  const std::string changed = with_block(two, "A.example.com", "A2\n");
  CHECK(changed == with_block(with_block("", "a.example.com", "A2\n"), "b.example.com", "B\n"));
  CHECK(with_block(changed, "a.example.com", "A2\n") == changed);
}

TEST_CASE("edit: a block added and removed leaves nothing behind") {
  for (const std::string before : {"", "# mine\n", "# mine\n\n", "Host x\n  User y\n"}) {
    const std::string own = with_block(with_block(before, "a.example.com", "A\n"), "b", "B\n");
    const std::string without = without_block(without_block(own, "a.example.com"), "b");
    CHECK((before.empty() ? is_bare(without) : without == before));
  }
  CHECK(without_block("# mine\n", "a.example.com") == "# mine\n");
}

TEST_CASE("edit: the note of a config that we made") {
  const std::string own = with_made_note(with_block("", "a", "A\n"));
  CHECK(has_made_note(own));
  CHECK_FALSE(has_made_note(with_block("", "a", "A\n")));
  CHECK(with_made_note(own) == own);
  CHECK(is_bare(without_block(own, "a")));
  CHECK_FALSE(is_bare(own));
  CHECK_FALSE(is_bare("# mine\n"));
}

TEST_CASE("edit: a block without its end is not guessed at") {
  for (const std::string broken :
       {"# mayfly: begin a\nA\n", "# mayfly: begin a\n# mayfly: begin b\n# mayfly: end b\n",
        "# mayfly: begin a\n# mayfly: end b\n"}) {
    CHECK_THROWS_AS(with_block(broken, "c", "C\n"), mayfly::Error);
    CHECK_THROWS_AS(without_block(broken, "b"), mayfly::Error);
    CHECK_THROWS_AS(hosts_with_blocks(broken), mayfly::Error);
  }
}

TEST_CASE("edit: the Include line comes first") {
  struct Case {
    std::string before, after;
  };
  const std::string line = include;
  for (const Case& c : {
           Case{"", line + "\n"},
           Case{"Host a", line + "\nHost a"},
           Case{"Host a\n", line + "\nHost a\n"},
           Case{"Host a\r\n  User b\r\n", line + "\r\nHost a\r\n  User b\r\n"},
           Case{"\n", line + "\n\n"},
           Case{line + "\n", line + "\n"},
           Case{"# first\n  " + line + "\r\nHost a\n", "# first\n  " + line + "\r\nHost a\n"},
           Case{"Host a\n" + line + "\n", line + "\nHost a\n" + line + "\n"},
           Case{"match=all\n" + line + "\n", line + "\nmatch=all\n" + line + "\n"},
           Case{"# " + line + "\n", line + "\n# " + line + "\n"},
           Case{line + ".old\n", line + "\n" + line + ".old\n"},
       }) {
    CHECK(with_include(c.before, own_path) == c.after);
    CHECK(with_include(c.after, own_path) == c.after);
  }
}

TEST_CASE("edit: the Include line added and removed leaves every byte as it was") {
  const std::string pieces[] = {"Host a\n",    "  User b\r\n", "\n",        "\r\n",
                                "\t# comment", "\xff\xfe",     "Match all", "Include x\n",
                                " ",           "\r",           "=\"\n",     std::string(1, '\0')};
  constexpr std::size_t count = std::size(pieces);
  for (std::size_t i = 0; i < count * count * count; ++i) {
    const std::string config =
        pieces[i % count] + pieces[i / count % count] + pieces[i / count / count];
    CHECK(without_include(with_include(config, own_path), own_path) == config);
    CHECK(without_include(config, own_path) == config);
  }
}

TEST_CASE(
    "edit: a path with a space is quoted, and a path that Include would expand is left to ssh") {
  CHECK(include_line("/a home/.ssh/mayfly_config") == "Include \"/a home/.ssh/mayfly_config\"");
  for (const std::string path :
       {"/a*/x", "/a[b]/x", "/50%/x", "/$HOME/x", "/a\\b/x", "/a\"b/x", "/o'b/x"}) {
    CHECK(include_line(path) == "Include x");
    CHECK(without_include(with_include("Host a\n", path), path) == "Host a\n");
  }
}
