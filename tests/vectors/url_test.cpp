// Web platform tests: the URLs and host names that browsers take and refuse. mayfly never means
// another host than a browser does, and takes nothing that a browser refuses.
#include "access/core/url.hpp"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <optional>

#include "access/core/error.hpp"
#include "access/core/host_port.hpp"
#include "tests/vectors/vectors.hpp"

namespace {

using nlohmann::json;

std::optional<mayfly::Url> read(const std::string& text) {
  try {
    return mayfly::parse_url(text);
  } catch (const mayfly::Error&) {
    return std::nullopt;
  }
}

// Another spelling of an IPv6 address means the same host.
bool is_same_host(const mayfly::Url& ours, const json& test) {
  const auto browsers = read("https://" + test["hostname"].get<std::string>());
  return browsers && browsers->host == ours.host;
}

// The members of a URL of the standard, which name the port only if it is not that of the scheme.
bool is_same(const mayfly::Url& ours, const json& test) {
  const std::string port = test.value("port", "");
  const bool is_https = test["protocol"] == "https:";
  const std::string expected = port.empty() ? "443" : port;
  const std::string path = ours.path.empty() ? "/" : ours.path;
  const std::string query = ours.query.empty() ? "" : "?" + ours.query;
  return mayfly::bracketed(ours.host) == test["hostname"].get<std::string>() &&
         (!is_https || std::to_string(ours.port) == expected) &&
         path == test["pathname"].get<std::string>() && query == test.value("search", "");
}

// A dot at the end makes a name absolute, and mayfly leaves it out: the name is the same.
json without_last_dot(const json& host) {
  if (!host.is_string()) return host;
  std::string name = host;
  if (name.size() > 1 && name.ends_with('.')) name.pop_back();
  return name;
}

// A vector is an input, and the host that a browser makes of it: null, or the name in ASCII.
void judge_hosts(const std::string& kind, const std::string& file, int all) {
  vectors::Verdicts verdicts(kind);
  for (const json& test : vectors::data(file)) {
    const auto ours = read("https://" + test[0].get<std::string>() + "/x");
    const json named = ours ? json(ours->host) : json();
    CHECK_MESSAGE((!ours || named == without_last_dot(test[1])),
                  "another host than a browser's: ", test.dump());
    verdicts.judge(test[0].dump(-1, ' ', true), named == without_last_dot(test[1]));
  }
  verdicts.finish(all);
}

}  // namespace

TEST_CASE("vectors: web platform tests, URLs") {
  vectors::Verdicts verdicts("url");
  for (const json& test : vectors::data("urls")) {
    const auto ours = read(test["input"].get<std::string>());
    const bool fails = test.value("failure", false);
    CHECK_MESSAGE((!ours || (!fails && is_same_host(*ours, test))),
                  "another host than a browser's: ", test.dump());
    verdicts.judge(test["input"].dump(-1, ' ', true), fails ? !ours : ours && is_same(*ours, test));
  }
  verdicts.finish(378);
}

TEST_CASE("vectors: web platform tests, hosts in ASCII") {
  judge_hosts("toascii", "toascii", 87);
}

TEST_CASE("vectors: web platform tests, IdnaTestV2") {
  judge_hosts("idna", "idna", 2669);
}
