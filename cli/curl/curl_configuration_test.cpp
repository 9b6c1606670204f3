// curl's configuration files: the options in them, as the manual page (curl(1), --config) has them.
#include "cli/curl/curl_configuration.hpp"

#include <doctest/doctest.h>

using namespace mayfly::cli;
using Lines = std::vector<ConfigurationLine>;

TEST_CASE("curl configuration: the forms of curl(1)") {
  CHECK(parse_curl_configuration("# a comment\n"
                                 "url = \"example.com\"\n"
                                 "  output=\"curl here.html\" # another\r\n"
                                 "user-agent: superagent/1.0\n"
                                 "-O\n\n"
                                 "--header \"X: \\\"a\\\\b\\\"\\tc\"\n"
                                 "trace-ascii out\n"
                                 "-sSo file\n"
                                 "silent") == Lines{{"--url", "example.com"},
                                                    {"--output", "curl here.html"},
                                                    {"--user-agent", "superagent/1.0"},
                                                    {"-O"},
                                                    {"--header", "X: \"a\\b\"\tc"},
                                                    {"--trace-ascii", "out"},
                                                    {"-sSo", "file"},
                                                    {"--silent"}});
  CHECK(parse_curl_configuration("output = \"\"\n") == Lines{{"--output", ""}});
  CHECK(parse_curl_configuration("\xEF\xBB\xBFsilent\n") == Lines{{"--silent"}});
  CHECK(parse_curl_configuration("").empty());
}

TEST_CASE("curl configuration: what is rendered is read as the same options") {
  const Lines lines = {{"--url", "a b"}, {"-O"}, {"--header", "X: \"\\\n\t"}, {"--output", ""}};
  CHECK(parse_curl_configuration(render_curl_configuration(lines)) == lines);
}
