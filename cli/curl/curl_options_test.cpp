#include "cli/curl/curl_options.hpp"

#include <doctest/doctest.h>

using namespace mayfly::cli;

TEST_CASE("curl's long options, with a value and without") {
  CHECK(read_curl_option("--output").takes_value);
  CHECK(read_curl_option("--output").name == "output");
  CHECK_FALSE(read_curl_option("--silent").takes_value);
  CHECK(read_curl_option("--silent").name == "silent");
  // Each begins another one's name.
  CHECK(read_curl_option("--cert").name == "cert");
  CHECK(read_curl_option("--proxy").takes_value);
  CHECK(read_curl_option("--location").name == "location");
  CHECK(read_curl_option("--trace").takes_value);
}

TEST_CASE("a value behind an equals sign") {
  const CurlOption option = read_curl_option("--data=a=b");
  CHECK(option.name == "data");
  CHECK(option.value == "a=b");
  CHECK(read_curl_option("--url=").value == "");
  CHECK_FALSE(read_curl_option("--url").value.has_value());
}

TEST_CASE("what stands before the name") {
  CHECK(read_curl_option("--no-keepalive").is_negated);
  CHECK(read_curl_option("--no-keepalive").name == "keepalive");
  CHECK(read_curl_option("--noproxy").name == "noproxy");
  CHECK(read_curl_option("--expand-url").is_expanded);
  CHECK(read_curl_option("--expand-url").name == "url");
  CHECK(read_curl_option("--expand-url").takes_value);
}

TEST_CASE("the beginning of a name is that name, where there is one") {
  CHECK(read_curl_option("--cookie-j").name == "cookie-jar");
  CHECK(read_curl_option("--conf").name == "config");
  CHECK(read_curl_option("--insec").name == "insecure");
  CHECK(read_curl_option("--location-").name == "location-trusted");
  for (const char* word : {"--outp", "--loc", "--no-such-option", "--", "--no-", "--expand-"}) {
    CAPTURE(word);
    CHECK(read_curl_option(word).name == "");
  }
  // Whichever is meant.
  CHECK(read_curl_option("--outp").takes_value);
  CHECK_FALSE(read_curl_option("--loc").takes_value);
}
