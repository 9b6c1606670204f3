#include "cli/curl/redirect_steps.hpp"

#include <doctest/doctest.h>

namespace mayfly::cli {
namespace {

using Words = std::vector<std::string>;

const std::string url = "https://wiki.example.com/old";

std::optional<std::size_t> position(const Words& words) {
  Words arguments = {"-q"};  // no configuration of the account that runs the test
  arguments.insert(arguments.end(), words.begin(), words.end());
  const CurlArguments curl = parse_curl_arguments(arguments);
  return position_of_followed_url(curl, guard_curl(curl));
}

TEST_CASE("redirect_steps: a GET of one URL is followed by steps") {
  CHECK(position({"-L", url}) == 2);
  CHECK(position({url, "-sSL"}) == 1);
  CHECK(position({"-fsSL", "-o", "file", "-H", "Accept: text/html", "--compressed", url}) == 7);
  CHECK(position({"-IL", url}) == 2);
  CHECK(position({"-L", "-X", "GET", url}) == 4);
}

TEST_CASE("redirect_steps: a command line that several runs would change is not") {
  for (const Words& words :
       {Words{url}, Words{"-L", url, "https://wiki.example.com/b"}, Words{"-L", url, url},
        Words{"-L", url, "--next", url}, Words{"-L", "--allow-redirects", url},
        Words{"-L", "https://wiki.example.com/{a,b}"}, Words{"-L", "-d", "a=b", url},
        Words{"-L", "-X", "POST", url}, Words{"-L", "-T", "file", url}, Words{"-L", "-O", url},
        Words{"-L", "-w", "%{http_code}", url}, Words{"-L", "-c", "jar", url},
        Words{"-L", "-b", "a=b", url}, Words{"-L", "-D", "heads", url},
        Words{"-L", "-H", "@file", url}, Words{"-L", "--max-redirs", "3", url},
        Words{"-L", "-e", ";auto", url}, Words{"-L", "-C", "-", url}, Words{"-L", "--url", url}}) {
    CAPTURE(words.back());
    CAPTURE(words.size() > 1 ? words[1] : "");
    const bool by_flag = words.size() == 3 && words[1] == "--url";
    CHECK(position(words).has_value() == by_flag);
  }
}

Application application(const std::string& hostname) {
  Application one;
  one.hostname = hostname;
  return one;
}

bool follows(const std::string& next, const std::string& hostname = "wiki.example.com") {
  return may_follow(parse_url(url), application(hostname), resolve_location(parse_url(url), next));
}

TEST_CASE("redirect_steps: a redirect is followed within the application") {
  CHECK(follows("/new"));
  CHECK(follows("https://WIKI.example.com:443/new?a=b"));
  CHECK(follows("?page=2"));
  CHECK_FALSE(follows("https://other.example.com/"));
  CHECK_FALSE(follows("https://wiki.example.com:8443/"));
  CHECK(follows("/old/b", "wiki.example.com/old"));
  CHECK_FALSE(follows("/new", "wiki.example.com/old"));
}

TEST_CASE("redirect_steps: no redirect leads to a path of Access in any spelling") {
  for (const char* path : {"/cdn-cgi/access/cli?token=x", "/x/../cdn-cgi/access/cli",
                           "/CDN-CGI/access", "//cdn-cgi/access/cli", "/cdn-cgi/%61ccess/cli",
                           "/%2e/cdn-cgi/access/get-identity", "/cdn-cgi/access;a/cli"}) {
    CAPTURE(path);
    CHECK_FALSE(follows(std::string(url, 0, 24) + path));
  }
}

TEST_CASE("redirect_steps: the next command line differs in its URL alone") {
  const CurlArguments before = parse_curl_arguments({"-q", "-sL", url, "-o", "file"});
  const CurlArguments after = with_url(before, 2, parse_url("https://wiki.example.com/new?a=b"));
  CHECK(after.arguments == Words{"-q", "-sL", "https://wiki.example.com/new?a=b", "-o", "file"});
  CHECK(after.urls == Words{"https://wiki.example.com/new?a=b"});
}

}  // namespace
}  // namespace mayfly::cli
