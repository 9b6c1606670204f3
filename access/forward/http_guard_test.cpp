// Who may use the listener: Fetch Metadata (W3C), Origin (RFC 6454), and names that lead here.
#include "access/forward/http_guard.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace mayfly;

namespace {

LocalPlace place(std::string address = "127.0.0.1",
                 LocalPlace::Reach reach = LocalPlace::Reach::loopback) {
  return {.family = LocalPlace::Family::tcp,
          .address = std::move(address),
          .port = 8080,
          .reach = reach,
          .names = {"box.lan"}};
}

int status_for(Headers headers, std::string method = "GET") {
  Headers all = {{"Host", "127.0.0.1:8080"}};
  all.add(headers);
  const auto denial = denial_of(RequestHead{std::move(method), "/", 1, std::move(all)}, place());
  return denial ? denial->status : 0;
}

}  // namespace

TEST_CASE("a listener answers to the names that it was told") {
  LocalPlace told = place();
  told.aliases = {"sidecar", "Wiki.example:9000", "192.0.2.1:80"};
  for (const char* host : {"127.0.0.1:8080", "sidecar", "SideCar:1", "wiki.example:9000",
                           "192.0.2.1", "192.0.2.1:80"}) {
    CAPTURE(host);
    CHECK(told.is_meant_by(host));
  }
  for (const char* host : {"sidecar.evil.example", "wiki.example", "wiki.example:9001",
                           "192.0.2.1:81", "127.0.0.1:9000", "sidecar:x", "a sidecar"}) {
    CAPTURE(host);
    CHECK_FALSE(told.is_meant_by(host));
  }
  for (const char* alias : {"", "a b", "x:y", "x/y", ":80", "http://x"}) {
    CAPTURE(alias);
    CHECK_FALSE(is_alias(alias));
  }
  for (const std::string& alias : told.aliases) CHECK(is_alias(alias));
}

TEST_CASE("a listener knows its own names") {
  for (const char* host : {"127.0.0.1:8080", "localhost:8080", "LOCALHOST:8080",
                           "wiki.localhost:8080", "box.lan:8080", "Box.Lan:8080"}) {
    CAPTURE(host);
    CHECK(place().is_meant_by(host));
  }
  for (const char* host : {"",
                           "127.0.0.1",
                           "127.0.0.1:80",
                           "127.0.0.1:8081",
                           "127.0.0.1:",
                           "127.0.0.1:8080x",
                           "127.0.0.1:08080x",
                           "evil.example:8080",
                           "localhost.evil.example:8080",
                           "evillocalhost:8080",
                           "127.0.0.1.evil.example:8080",
                           "127.1:8080",
                           "2130706433:8080",
                           "0.0.0.0:8080",
                           "192.0.2.1:8080",
                           "[::1]:8080",
                           "a b:8080",
                           "user@127.0.0.1:8080",
                           "127.0.0.1:8080/",
                           ":8080",
                           "[127.0.0.1:8080",
                           "127.0.0.2:8080"}) {
    CAPTURE(host);
    CHECK_FALSE(place().is_meant_by(host));
  }
  CHECK(place("::1").is_meant_by("[::1]:8080"));
  CHECK(place("::1").is_meant_by("[0:0:0:0:0:0:0:1]:8080"));
  CHECK(place("::1").is_meant_by("localhost:8080"));
  LocalPlace http = place();
  http.port = 80;
  CHECK(http.is_meant_by("127.0.0.1"));
  const LocalPlace network = place("192.0.2.1", LocalPlace::Reach::network);
  CHECK(network.is_meant_by("192.0.2.1:8080"));
  CHECK(network.is_meant_by("box.lan:8080"));
  CHECK_FALSE(network.is_meant_by("localhost:8080"));
  const LocalPlace file{.family = LocalPlace::Family::unix_socket, .address = "", .names = {}};
  CHECK(file.is_meant_by("anything"));
  CHECK_FALSE(file.is_meant_by("a b"));
}

TEST_CASE("a Host is there once, and ours") {
  const auto status = [](Headers headers) {
    const auto denial = denial_of(RequestHead{"GET", "/", 1, std::move(headers)}, place());
    return denial ? denial->status : 0;
  };
  CHECK(status({{"Host", "localhost:8080"}}) == 0);
  CHECK(status({}) == 400);
  CHECK(status({{"Host", "localhost:8080"}, {"host", "localhost:8080"}}) == 400);
  CHECK(status({{"Host", "rebound.evil.example:8080"}}) == 421);
}

TEST_CASE("whoever has no right name is told one") {
  const auto hint = [](const LocalPlace& at) {
    const auto denial = denial_of(RequestHead{"GET", "/", 1, {{"Host", "a b"}}}, at);
    return denial ? denial->hint : "passed";
  };
  CHECK(hint(place()) == "use http://127.0.0.1:8080/");
  CHECK(hint(place("::1")) == "use http://[::1]:8080/");
  CHECK(hint({.family = LocalPlace::Family::unix_socket, .address = "", .names = {}}) ==
        "any name will do, as in http://localhost/");
}

TEST_CASE("programs that are no browsers pass") {
  CHECK(status_for({}) == 0);
  CHECK(status_for({}, "POST") == 0);
  CHECK(status_for({{"Referer", "https://elsewhere.example/"}}) == 0);
}

TEST_CASE("pages of the listener itself pass, and what the person typed or followed") {
  CHECK(status_for({{"Origin", "http://127.0.0.1:8080"}}, "POST") == 0);
  CHECK(status_for({{"Sec-Fetch-Site", "same-origin"}}, "POST") == 0);
  CHECK(status_for({{"Origin", "null"}, {"Sec-Fetch-Site", "same-origin"}}, "POST") == 0);
  CHECK(status_for({{"Sec-Fetch-Site", "none"}}) == 0);
  const Headers link = {{"Sec-Fetch-Site", "cross-site"},
                        {"Sec-Fetch-Mode", "navigate"},
                        {"Sec-Fetch-Dest", "document"},
                        {"Sec-Fetch-User", "?1"}};
  CHECK(status_for(link) == 0);
  CHECK(status_for(link, "POST") == 403);  // a form
}

TEST_CASE("of several headers each one counts") {
  CHECK(status_for({{"Sec-Fetch-Site", "same-origin"}, {"Sec-Fetch-Site", "cross-site"}}) == 403);
  CHECK(status_for(
            {{"Origin", "null"}, {"Sec-Fetch-Site", "same-origin"}, {"Sec-Fetch-Site", "none"}},
            "POST") == 403);
}

TEST_CASE("pages of others do not") {
  for (const char* origin :
       {"https://evil.example", "null", "http://127.0.0.1:8081", "", "https://127.0.0.1:8080",
        "http://localhost:8080", "http://127.0.0.1:8080.evil.example"}) {
    CAPTURE(origin);
    CHECK(status_for({{"Origin", origin}}) == 403);
  }
  CHECK(status_for({{"Origin", "http://127.0.0.1:8080"}, {"Origin", "https://evil.example"}}) ==
        403);
  CHECK(status_for({{"Origin", "null"}, {"Sec-Fetch-Site", "cross-site"}}, "POST") == 403);
  CHECK(status_for({{"Origin", "null"}, {"Sec-Fetch-Site", "none"}}, "POST") == 403);
  for (const char* site : {"cross-site", "same-site", "something-new"}) {
    CAPTURE(site);
    CHECK(status_for({{"Sec-Fetch-Site", site}}) == 403);
    CHECK(status_for({{"Sec-Fetch-Site", site},
                      {"Sec-Fetch-Mode", "no-cors"},
                      {"Sec-Fetch-Dest", "image"}}) == 403);
    CHECK(status_for({{"Sec-Fetch-Site", site},
                      {"Sec-Fetch-Mode", "navigate"},
                      {"Sec-Fetch-Dest", "iframe"}}) == 403);
  }
  CHECK(status_for({{"Sec-Fetch-Site", "same-origin"}, {"Origin", "https://evil.example"}}) == 403);
}

// Secure Contexts, section 3.1: http://box.lan:8080 is not potentially trustworthy, wherever it
// leads.
TEST_CASE("a browser that does not say whose page asks has to show it otherwise") {
  const auto status = [](Headers headers, std::string host = "box.lan:8080") {
    Headers all = {{"Host", std::move(host)}};
    all.add(headers);
    const auto denial = denial_of(RequestHead{"GET", "/", 1, std::move(all)}, place());
    return denial ? denial->status : 0;
  };
  const Header browser = {"User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:145.0)"};
  CHECK(status({browser}) == 403);
  CHECK(status({browser, {"Accept", "text/html"}}) == 403);  // a script may say so
  CHECK(status({browser, {"Referer", "http://evil.example/"}}) == 403);
  CHECK(status({browser, {"Referer", "http://box.lan:8080.evil.example/"}}) == 403);
  CHECK(
      status({browser, {"Referer", "http://box.lan:8080/"}, {"Referer", "http://evil.example/"}}) ==
      403);
  CHECK(status({browser}, "127.0.0.1.evil.example:8080") == 421);

  CHECK(status({browser, {"Referer", "http://box.lan:8080/page"}}) == 0);
  CHECK(status({browser, {"Referer", "http://BOX.lan:8080/"}}) == 0);
  CHECK(status({browser, {"Origin", "http://box.lan:8080"}}) == 0);
  CHECK(status({browser, {"Origin", "http://evil.example"}}) == 403);
  CHECK(status({browser, {"Upgrade-Insecure-Requests", "1"}}) == 0);  // typed, or a link
  CHECK(status({browser, {"Sec-Fetch-Site", "none"}}) == 0);
  CHECK(status({browser, {"Sec-Fetch-Site", "cross-site"}}) == 403);
  CHECK(status({{"User-Agent", "curl/8.14.1"}}) == 0);
  CHECK(status({}) == 0);
  // There a browser would have said so, unless it is older than that: SECURITY.md.
  for (const char* host : {"127.0.0.1:8080", "localhost:8080", "wiki.localhost:8080"})
    CHECK(status({browser}, host) == 0);
}

TEST_CASE("a form without an Origin is no link") {
  const RequestHead form{"POST",
                         "/",
                         1,
                         {{"Host", "box.lan:8080"},
                          {"User-Agent", "Mozilla/5.0"},
                          {"Upgrade-Insecure-Requests", "1"}}};
  CHECK(denial_of(form, place()));
  CHECK(status_for({{"Sec-Fetch-Site", "cross-site"},
                    {"Sec-Fetch-Mode", "navigate"},
                    {"Sec-Fetch-Dest", "document"},
                    {"Sec-Fetch-User", "?1"}},
                   "POST") == 403);
}

TEST_CASE("no browser comes by a Unix socket") {
  const LocalPlace file{.family = LocalPlace::Family::unix_socket, .address = "", .names = {}};
  CHECK_FALSE(denial_of(
      RequestHead{"GET", "/", 1, {{"Host", "anything"}, {"User-Agent", "Mozilla/5.0"}}}, file));
}

TEST_CASE("what no person opens is refused: what is loaded ahead of a visit") {
  const Header link{"Sec-Fetch-Mode", "navigate"}, whole{"Sec-Fetch-Dest", "document"};
  const Header click{"Sec-Fetch-User", "?1"};
  for (const char* purpose : {"prefetch", "prefetch;prerender", "prefetch;anonymous-client-ip",
                              "PREFETCH", "prerender", "preview"}) {
    CAPTURE(purpose);
    for (const char* name : {"Sec-Purpose", "Purpose", "X-Moz"}) {
      const Header ahead{name, purpose};
      CHECK(status_for({link, whole, click, {"Sec-Fetch-Site", "cross-site"}, ahead}) == 403);
      CHECK(status_for({link, whole, click, {"Sec-Fetch-Site", "none"}, ahead}) == 403);
      CHECK(status_for({ahead}) == 403);
      CHECK(status_for({link, whole, {"Sec-Fetch-Site", "same-origin"}, ahead}) == 0);
      CHECK(status_for({ahead, {"Referer", "http://127.0.0.1:8080/page"}}) == 0);
    }
  }
}

TEST_CASE("a page of another site opens nothing by itself") {
  const Header link{"Sec-Fetch-Mode", "navigate"}, whole{"Sec-Fetch-Dest", "document"};
  const Header chromium{"User-Agent",
                        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, "
                        "like Gecko) Chrome/140.0.0.0 Safari/537.36"};
  const Header webkit{"User-Agent",
                      "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/605.1.15 (KHTML, "
                      "like Gecko) Version/18.0 Safari/605.1.15"};
  for (const char* site : {"cross-site", "same-site"}) {
    CAPTURE(site);
    const Header from{"Sec-Fetch-Site", site};
    CHECK(status_for({link, whole, from}) == 403);
    CHECK(status_for({link, whole, from, chromium}) == 403);
    CHECK(status_for({link, whole, from, {"Sec-Fetch-User", "?0"}}) == 403);
    CHECK(status_for({link, whole, from, {"Sec-Fetch-User", "?1"}}) == 0);
    CHECK(status_for({link, whole, from, {"Sec-Fetch-User", "?1"}, {"Sec-Fetch-User", "?1"}}) ==
          403);
    CHECK(status_for({link, whole, from, webkit}) == 0);  // which never says
  }
  for (const char* site : {"none", "same-origin"})
    CHECK(status_for({link, whole, {"Sec-Fetch-Site", site}}) == 0);
}

TEST_CASE("a name under .localhost that WebKit may have looked up is refused") {
  const Header webkit{"User-Agent",
                      "Mozilla/5.0 AppleWebKit/605.1.15 Version/18.0 Safari/605.1.15"};
  const Header firefox{"User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101"};
  const Header same{"Sec-Fetch-Site", "same-origin"};
  const auto status_at = [&](const char* host, const Header& agent) {
    const auto denial =
        denial_of(RequestHead{"GET", "/", 1, {{"Host", host}, agent, same}}, place());
    return denial ? denial->status : 0;
  };
  CHECK(status_at("evil.localhost:8080", webkit) == 421);
  CHECK(status_at("EVIL.Localhost:8080", webkit) == 421);
  for (const char* host : {"localhost:8080", "127.0.0.1:8080"}) CHECK(status_at(host, webkit) == 0);
  CHECK(status_at("evil.localhost:8080", firefox) == 0);
}

TEST_CASE("the script of a service worker is refused unless the person allows it") {
  for (const Header& mark :
       {Header{"Service-Worker", "script"}, Header{"Sec-Fetch-Dest", "serviceworker"}}) {
    const RequestHead head{
        "GET", "/", 1, {{"Host", "localhost:8080"}, {"Sec-Fetch-Site", "same-origin"}, mark}};
    LocalPlace at = place();
    const auto denial = denial_of(head, at);
    REQUIRE(denial);
    CHECK(denial->status == 403);
    CHECK(denial->hint.find("--allow-service-workers") != std::string::npos);
    at.service_workers = LocalPlace::ServiceWorkers::allowed;
    CHECK_FALSE(denial_of(head, at));
  }
}

TEST_CASE("a name under .localhost that another application may have is none of this listener") {
  LocalPlace own = place();
  own.own_name = "wiki-example-com.localhost";
  CHECK(own.is_meant_by("wiki-example-com.localhost:8080"));
  CHECK(own.is_meant_by("Wiki-Example-Com.localhost:8080"));
  CHECK(own.is_meant_by("wiki.localhost:8080"));
  CHECK_FALSE(own.is_meant_by("git-example-com.localhost:8080"));
  CHECK_FALSE(own.is_meant_by("x.git-example-com.localhost:8080"));
  own.local_names = LocalPlace::LocalNames::own_only;
  for (const char* host : {"wiki-example-com.localhost:8080", "localhost:8080", "127.0.0.1:8080"})
    CHECK(own.is_meant_by(host));
  for (const char* host : {"wiki.localhost:8080", "git-example-com.localhost:8080",
                           "x.wiki-example-com.localhost:8080"})
    CHECK_FALSE(own.is_meant_by(host));
  own.aliases = {"wiki.localhost"};
  CHECK(own.is_meant_by("wiki.localhost:8080"));
}

TEST_CASE("a browser is led to the application's own name") {
  LocalPlace own = place();
  own.own_name = "wiki-example-com.localhost";
  own.aliases = {"sidecar"};
  const auto origin = [&](std::string host, Headers more = {}) {
    Headers headers = {
        {"Host", std::move(host)}, {"Sec-Fetch-Mode", "navigate"}, {"Sec-Fetch-Dest", "document"}};
    headers.add(more);
    return origin_for_browser(RequestHead{"GET", "/", 1, std::move(headers)}, own).value_or("");
  };
  CHECK(origin("127.0.0.1:8080") == "");  // the person chose the address
  own.local_names = LocalPlace::LocalNames::own_only;
  const std::string name = "http://wiki-example-com.localhost:8080";
  CHECK(origin("127.0.0.1:8080") == name);
  CHECK(origin("localhost:8080") == name);
  CHECK(origin("wiki-example-com.localhost:8080") == "");
  CHECK(origin("sidecar") == "");
  CHECK(origin("127.0.0.1:8080", {{"User-Agent", "Mozilla/5.0 AppleWebKit/605.1.15 Safari/605"}}) ==
        "");
  const RequestHead program{"GET", "/", 1, {{"Host", "127.0.0.1:8080"}}};
  CHECK_FALSE(origin_for_browser(program, own));
}
