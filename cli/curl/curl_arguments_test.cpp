#include "cli/curl/curl_arguments.hpp"

#include <doctest/doctest.h>

#include <tuple>

#include "access/core/error.hpp"

using namespace mayfly;
using namespace mayfly::cli;
using Words = std::vector<std::string>;

namespace {

struct UrlCase {
  Words arguments;
  Words urls;
};

}  // namespace

TEST_CASE("the URL is found wherever it stands") {
  const UrlCase cases[] = {
      {{"https://a.example/"}, {"https://a.example/"}},
      {{"-s", "https://a.example/"}, {"https://a.example/"}},
      {{"-X", "POST", "-d", "body", "https://a.example/"}, {"https://a.example/"}},
      {{"-XPOST", "a.example", "-dbody"}, {"a.example"}},
      {{"-sSo", "file", "a.example"}, {"a.example"}},
      {{"-sSofile", "a.example"}, {"a.example"}},
      {{"--output", "file", "a.example"}, {"a.example"}},
      {{"--url", "a.example", "--compressed"}, {"a.example"}},
      {{"--header", "K: V", "a.example", "b.example"}, {"a.example", "b.example"}},
      {{"-o", "-", "--", "a.example"}, {"a.example"}},
      {{"--some-new-flag", "a.example"}, {"a.example"}},
      {{"--url=a.example", "--output=file", "b.example"}, {"a.example", "b.example"}},
      {{"--outp", "file", "a.example"}, {"a.example"}},
      {{"--expand-output", "{{v}}", "a.example"}, {"a.example"}},
      {{"--url", "@list", "a.example"}, {"a.example"}},
      {{"-o"}, {}},
  };
  for (const UrlCase& c : cases) {
    CAPTURE(c.arguments);
    const CurlArguments parsed = parse_curl_arguments(c.arguments);
    CHECK(parsed.urls == c.urls);
    CHECK(parsed.arguments == c.arguments);
  }
}

TEST_CASE("our own flags do not reach curl") {
  const auto parsed =
      parse_curl_arguments({"--allow-request", "a.example", "--service-token-id", "id",
                            "--service-token-secret-file=f", "--batch", "-v"});
  CHECK(parsed.arguments == Words{"a.example", "-v"});
  CHECK(parsed.token == CurlArguments::Token::optional);
  CHECK(parsed.network.identity.service_token_id == "id");
  CHECK(parsed.network.identity.service_token_secret_file == "f");
  CHECK(parsed.network.interaction.batch);
  CHECK(parse_curl_arguments({"-ar", "a.example"}).token == CurlArguments::Token::optional);
  CHECK_THROWS_AS(parse_curl_arguments({"a.example", "--service-token-id"}), Error);
}

TEST_CASE("curl's connection options serve us too, and stay with curl") {
  const Words words = {"-k",           "-E",        "c.pem",       "--key",    "k.pem",
                       "--cacert",     "ca.pem",    "-x",          "http://p", "--connect-to",
                       "a:443:b:8443", "--resolve", "a:443:[::1]", "a.example"};
  const auto parsed = parse_curl_arguments(words);
  CHECK(parsed.arguments == words);
  CHECK(parsed.network.trust.insecure);
  CHECK(parsed.network.identity.certificate == "c.pem");
  CHECK(parsed.network.identity.key == "k.pem");
  CHECK(parsed.network.trust.ca_file == "ca.pem");
  CHECK(parsed.network.trust.proxy == "http://p");
  CHECK(parsed.network.trust.connect_to == Words{"a:443:b:8443"});
  CHECK(parsed.network.trust.resolve == Words{"a:443:[::1]"});
  CHECK(parse_curl_arguments({"--cert=c.pem"}).network.identity.certificate == "c.pem");
  CHECK_FALSE(parse_curl_arguments({"-k", "--no-insecure"}).network.trust.insecure);
}

TEST_CASE("a password behind the certificate's name is none of its name") {
  const auto name = [](const std::string& value) {
    return parse_curl_arguments({"-E", value, "a.example"}).network.identity.certificate;
  };
  CHECK(name("c.pem:secret") == "c.pem");
  CHECK(name("c\\:d.pem") == "c:d.pem");
  CHECK(name("pkcs11:token=t;object=o") == "pkcs11:token=t;object=o");
  const auto password = [](const Words& words) {
    return parse_curl_arguments(words).network.identity.certificate_password;
  };
  CHECK(password({"-E", "c.pem:se:cret"}) == "se:cret");
  CHECK(password({"--cert", "c.pem", "--pass", "secret"}) == "secret");
  CHECK(password({"--cert", "c\\:d.pem"}) == "");
}

TEST_CASE(
    "curl's arguments hold neither a token's module, which it would not understand, nor a PIN") {
  const std::string uri = "pkcs11:token=t?module-path=/m.so&pin-value=1";
  const std::string known = "pkcs11:token=t";
  for (const Words& words : {Words{"--cert", uri}, {"-E", uri}, {"-sE" + uri}, {"--key", uri}}) {
    const auto parsed = parse_curl_arguments(words);
    CHECK(parsed.arguments.back().ends_with(known));
    CHECK(parsed.network.identity.certificate + parsed.network.identity.key == uri);
  }
  CHECK(parse_curl_arguments({"-d", uri}).arguments.back() == uri);
  CHECK_FALSE(parse_curl_arguments({"--cert", uri}).names_certificate_type);
  CHECK(parse_curl_arguments({"--cert-type", "P12"}).names_certificate_type);
}

TEST_CASE("what may lead elsewhere opens the reach, and so does what is not known") {
  const auto is_open = [](const Words& words) {
    return parse_curl_arguments(words).reach == CurlArguments::Reach::open;
  };
  for (const Words& words : {Words{"-L"},
                             {"-sSL"},
                             {"-sLo", "file"},
                             {"--location"},
                             {"--loca"},
                             {"--location-tr"},
                             {"--follow"},
                             {"-K", "rc"},
                             {"--config=rc"},
                             {"--proto-default", "http"},
                             {"--alt-svc", "cache"},
                             {"--url", "@list"},
                             {"--expand-url", "{{v}}"},
                             {"--expand-config", "{{v}}"},
                             {"--some-new-flag"}}) {
    CAPTURE(words);
    CHECK(is_open(words));
  }
  // The L is part of a value here.
  for (const Words& words : {Words{"a.example"}, {"-oL"}, {"-sS", "--no-keepalive", "--retry=3"}}) {
    CAPTURE(words);
    CHECK_FALSE(is_open(words));
  }
}

TEST_CASE("where options can be put") {
  using Places = std::vector<std::pair<std::size_t, std::size_t>>;
  const auto places = [](const Words& words) {
    Places all;
    for (const auto& part : parse_curl_arguments(words).parts)
      all.emplace_back(part.front, part.back);
    return all;
  };
  CHECK(places({"-s", "a.example"}) == Places{{0, 2}});
  CHECK(places({"a.example", "--next", "b.example"}) == Places{{0, 1}, {2, 3}});
  CHECK(places({"--batch", "a.example", "-:", "b.example"}) == Places{{0, 1}, {2, 3}});
  CHECK(places({"a.example", "-s:o", "file", "b.example"}) == Places{{0, 1}, {3, 4}});
  CHECK(places({"a.example", "--next", "-s", "--", "--next"}) == Places{{0, 1}, {2, 3}});
  CHECK(places({"-d", "--next", "-o", "-:", "a.example"}) == Places{{0, 5}});
  CHECK(places({"a.example", "-o"}) == Places{{0, 1}});
}

TEST_CASE("each option of curl's is recorded with the word that holds its value") {
  using Facts = std::vector<std::tuple<std::string, std::string, std::size_t>>;
  const auto facts = [](const Words& words) {
    Facts all;
    for (const auto& option : parse_curl_arguments(words).options)
      all.emplace_back(option.name, option.value, option.word);
    return all;
  };
  CHECK(facts({"-c", "jar", "a.example"}) == Facts{{"cookie-jar", "jar", 1}});
  CHECK(facts({"--batch", "-sScjar"}) ==
        Facts{{"silent", "", 0}, {"show-error", "", 0}, {"cookie-jar", "jar", 0}});
  CHECK(facts({"a.example", "--cookie-j", "jar"}) == Facts{{"cookie-jar", "jar", 2}});
  CHECK(facts({"--config=rc", "-Krc"}) == Facts{{"config", "rc", 0}, {"config", "rc", 1}});
  CHECK(facts({"-vI", "--no-verbose"}) ==
        Facts{{"verbose", "", 0}, {"head", "", 0}, {"verbose", "", 1}});
  CHECK(facts({"--option-of-tomorrow", "-$"}) == Facts{{"", "", 0}, {"", "", 1}});
  CHECK(facts({"-oc", "--", "-c"}) == Facts{{"output", "c", 0}});
  CHECK(parse_curl_arguments({"--no-verbose"}).options.front().is_negated);
  CHECK(parse_curl_arguments({"--expand-dump-header", "x"}).options.front().is_expanded);
}
