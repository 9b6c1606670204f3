// Which proxy: named as curl(1) describes it under ENVIRONMENT, exempted as libcurl does it.
#include "access/dial/proxy.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <string>
#include <vector>

using namespace mayfly;

namespace {

using Pairs = std::vector<std::pair<const char*, const char*>>;

// The variables as told and no others, until the end.
class Variables {
 public:
  explicit Variables(const Pairs& values) {
    for (const char* name : names) ::unsetenv(name);
    for (const auto& [name, value] : values) ::setenv(name, value, 1);
  }
  ~Variables() {
    for (const char* name : names) ::unsetenv(name);
  }
  Variables(const Variables&) = delete;
  Variables& operator=(const Variables&) = delete;

 private:
  static constexpr const char* names[] = {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY",
                                          "http_proxy",  "no_proxy",    "NO_PROXY"};
};

}  // namespace

TEST_CASE("the proxy is the flag's, then the variables' in libcurl's order") {
  ConnectionOptions options;
  {
    const Variables none(Pairs{});
    CHECK(proxy_choice(options).url.empty());
  }
  {
    const Variables empty_is_none(Pairs{{"https_proxy", ""}, {"ALL_PROXY", "socks5h://b:1"}});
    CHECK(proxy_choice(options).url == "socks5h://b:1");
    CHECK(proxy_choice(options).named_by == "ALL_PROXY");
  }
  {
    const Variables gnome(Pairs{{"all_proxy", "socks://p:1080/"}});
    CHECK(proxy_choice(options).url == "socks5h://p:1080/");
  }
  const Variables both(Pairs{{"HTTPS_PROXY", "http://a:1"}, {"ALL_PROXY", "http://b:1"}});
  CHECK(proxy_choice(options).url == "http://a:1");
  CHECK(proxy_choice(options).named_by == "HTTPS_PROXY");
  options.proxy = "http://c:1";
  CHECK(proxy_choice(options).url == "http://c:1");
  CHECK(proxy_choice(options).named_by == "--proxy");
}

TEST_CASE("NO_PROXY exempts hosts from the proxy") {
  const Url url = parse_url("vm.example.com");
  struct Case {
    const char* no_proxy;
    bool exempt;
  };
  const Case cases[] = {{"", false},
                        {"*", true},
                        {"example.com", true},
                        {".example.com", true},
                        {"vm.example.com", true},
                        {"ample.com", false},
                        {"other.org, vm.example.com", true},
                        {"vm.example.com.", true},
                        {"*.example.com", true},
                        {"*.vm.example.com", false},
                        {"*.com", true},
                        {"*.other.org *.example.com", true},
                        {"vm.example.com:443", true},
                        {"VM.example.com:443", true},
                        {"example.com:443", true},
                        {"*.example.com:443", true},
                        {".example.com:443", true},
                        {"vm.example.com:8443", false},
                        {"*.example.com:80", false},
                        {"mvm.example.com:443", false},
                        {":443", false},
                        {"*.", false},
                        {"127.0.0.1,localhost", false}};
  for (const Case& one : cases) {
    CAPTURE(one.no_proxy);
    const Variables set(Pairs{{"NO_PROXY", one.no_proxy}});
    for (const char* proxy : {"http://proxy.invalid:3128", "socks5h://proxy.invalid:1080"}) {
      ConnectionOptions options;
      options.proxy = proxy;
      CHECK(is_exempt_from_proxy(options, url) == one.exempt);
    }
  }
}

TEST_CASE("a proxy is shown without user name and password") {
  struct Case {
    const char *url, *shown;
  };
  const Case cases[] = {{"http://proxy:3128", "http://proxy:3128"},
                        {"http://alice:s3cret@proxy:3128/", "http://proxy:3128"},
                        {"http://alice:s3/cr@t@proxy:3128", "http://proxy:3128"},
                        {"alice:s3cret@proxy:3128", "proxy:3128"},
                        {"socks5h://[::1]:1080?x", "socks5h://[::1]:1080"},
                        {"http://pro\x1bxy", "http://pro\\x1bxy"}};
  for (const auto& [url, shown] : cases) CHECK(shown_proxy(url) == shown);
}
