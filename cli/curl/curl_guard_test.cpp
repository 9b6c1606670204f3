// Which of curl's options are refused, and which are led through us.
#include "cli/curl/curl_guard.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdlib>

#include "access/core/error.hpp"
#include "access/testing/scratch_directory.hpp"
#include "cli/curl/memory_file.hpp"

using namespace mayfly;
using namespace mayfly::cli;
using Words = std::vector<std::string>;

namespace {

GuardedCurl guarded(Words words) {
  words.insert(words.begin(), "-q");
  return guard_curl(parse_curl_arguments(words));
}

std::string refusal(const Words& words) {
  try {
    guarded(words);
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::usage);
    CHECK_FALSE(error.hint().empty());
    return error.message();
  }
  return "";
}

std::vector<int> streams(const Words& words) {
  std::vector<int> all;
  for (const CleanedOutput& output : guarded(words).outputs) all.push_back(output.stream);
  return all;
}

}  // namespace

TEST_CASE("curl guard: refused by name") {
  const std::pair<Words, const char*> cases[] = {
      {{"--trace", "f"}, "--trace"},
      {{"--trace", "-"}, "--trace"},
      {{"--trace-ascii", "f"}, "--trace-ascii"},
      {{"--trace-a", "f"}, "--trace-a"},
      {{"--expand-trace", "{{v}}"}, "--expand-trace"},
      {{"--libcurl=f"}, "--libcurl"},
      {{"-vvv"}, "-v"},
      {{"-sv$"}, "-$"},
      {{"--option-of-tomorrow"}, "--option-of-tomorrow"},
      {{"--expand-dump-header", "{{v}}"}, "--expand-dump-header"},
      {{"--expand-config", "{{v}}"}, "--expand-config"},
      {{"--expand-write-out", "{{v}}"}, "--expand-write-out"},
      {{"-i", "-o", "file"}, "-i"},
      {{"--head", "-O"}, "--head"},
      {{"--show-headers", "--remote-name-all"}, "--show-headers"},
      {{"-v", "--stderr", "file"}, "-v"},
      {{"-w", "%output{f}%{header_json}"}, "-w"},
      {{"-w", "%output{f}%{HEADER_JSON}"}, "-w"},
      {{"--ssl-sessions", "f"}, "--ssl-sessions"},
      {{"-X", "GET /cdn-cgi/access/cli HTTP/1.1\r\nA:"}, "-X"},
      {{"--expand-request", "{{v}}"}, "--expand-request"},
      {{"-A", "a\r\n\r\nGET /cdn-cgi/access/cli HTTP/1.1"}, "-A"},
      {{"-Ha: b\nc: d"}, "-H"},
      {{"--request-target", "/x?a HTTP/1.1\r\nHost: h\r\n\r\nGET /"}, "--request-target"},
      {{"--request-target", "/x?a HTTP/1.1"}, "--request-target"},
      {{"--oauth2-bearer", "x\r\n\r\nGET /cdn-cgi/access/cli HTTP/1.1"}, "--oauth2-bearer"},
      {{"--aws-sigv4", "a:b\r\nc"}, "--aws-sigv4"},
      {{"-u", "a:b\nc"}, "-u"},
      {{"--expand-user-agent", "{{v}}"}, "--expand-user-agent"},
      {{"--expand-oauth2-bearer", "{{v}}"}, "--expand-oauth2-bearer"},
  };
  for (const auto& [words, name] : cases) {
    CAPTURE(words);
    CHECK(refusal(words).find(name) != std::string::npos);
  }
  for (const Words& words : {Words{"--no-verbose"},
                             {"-sS", "-o", "file"},
                             {"--stderr", "file"},
                             {"-I", "-o", "/dev/null"},
                             {"-w", "%output{f}%{http_code}"},
                             {"-d", "a\r\nb"},
                             {"--json", "{\n}"},
                             {"-w", "%{http_code}\n"},
                             {"--expand-data", "{{v}}"},
                             {"-vv"}}) {
    CAPTURE(words);
    CHECK(refusal(words).empty());
  }
}

TEST_CASE("curl guard: the streams that headers go to are cleaned") {
  using Streams = std::vector<int>;
  for (const Words& words : {Words{"-i"}, {"-sI"}, {"--include"}, {"-D", "-"}, {"-c", "-"}})
    CHECK(streams(words) == Streams{STDOUT_FILENO});
  for (const Words& words : {Words{"-v"}, {"--verbose"}, {"--trace-config", "all"}})
    CHECK(streams(words) == Streams{STDERR_FILENO});
  CHECK(streams({"-w", "%{header_json}"}) == Streams{STDOUT_FILENO, STDERR_FILENO});
  CHECK(streams({"-w", "%{Header_JSON}"}) == Streams{STDOUT_FILENO, STDERR_FILENO});
  CHECK(streams({"-w", "%header{set-cookie}"}) == Streams{STDOUT_FILENO, STDERR_FILENO});
  CHECK(streams({"-sS", "-w", "%{http_code}", "-o", "file"}).empty());
}

TEST_CASE("curl guard: files of headers and of cookies become pipes") {
  const GuardedCurl curl = guarded({"-Dhead", "-c", "jar", "--next", "--dump-header=head"});
  REQUIRE(curl.outputs.size() == 2);
  CHECK(curl.outputs[0].path == "head");
  CHECK(curl.outputs[1].as == CleanedOutput::As::cookie_jar);
  const std::string head = path_of(curl.outputs[0].pipe.writing),
                    jar = path_of(curl.outputs[1].pipe.writing);
  CHECK(curl.words == Words{"-q", "-D" + head, "-c", jar, "--next", "--dump-header=" + head});
}

TEST_CASE("curl guard: a file of CAs that is named counts alone") {
  using Inserted = std::map<std::size_t, Words>;
  const Words none = {"--capath", "/dev/null"};
  CHECK(guarded({"--cacert", "f", "a.example"}).inserted == Inserted{{3, none}});
  CHECK(guarded({"--next", "--cacert=f"}).inserted == Inserted{{3, none}});
  CHECK(guarded({"--proxy-cacert", "f"}).inserted ==
        Inserted{{3, {"--proxy-capath", "/dev/null"}}});
  CHECK(guarded({"--cacert", "f", "--capath", "d"}).inserted.empty());
  CHECK(guarded({"-s"}).inserted.empty());
  CHECK(guarded({"-s", "--cacert", "f"}).trust_named_at == std::vector<std::size_t>{3});
  CHECK(guarded({"-s"}).trust_named_at.empty());

  const testing::ScratchDirectory scratch;
  testing::put(scratch / "rc", "cacert = f\nsilent\n");
  const GuardedCurl curl = guarded({"-K", scratch / "rc"});
  CHECK(curl.trust_named_at == std::vector<std::size_t>{2});
  CHECK(testing::content_of(path_of(curl.files.at(0))) ==
        "--cacert \"f\"\n--capath \"/dev/null\"\n--silent\n--max-redirs \"0\"\n");
}

TEST_CASE("curl guard: a configuration is handed over as it was judged") {
  const testing::ScratchDirectory scratch;
  testing::put(scratch / "rc", "silent\ndump-header = head\nuser = \"a:b c\"\n");
  const GuardedCurl curl = guarded({"-sK" + (scratch / "rc")});
  REQUIRE(curl.files.size() == 1);
  REQUIRE(curl.outputs.size() == 1);
  CHECK(curl.words == Words{"-q", "-sK" + path_of(curl.files[0])});
  CHECK(testing::content_of(path_of(curl.files[0])) ==
        "--silent\n--dump-header \"" + path_of(curl.outputs[0].pipe.writing) +
            "\"\n--user \"a:b c\"\n--max-redirs \"0\"\n");
  for (const char* line :
       {"trace = f", "-vvv", "tomorrow = x", "config = other", "--", "-", "batch"}) {
    testing::put(scratch / "rc", line);
    CAPTURE(line);
    CHECK(refusal({"-K", scratch / "rc"}).find(scratch / "rc") != std::string::npos);
  }
}
