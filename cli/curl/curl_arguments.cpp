#include "cli/curl/curl_arguments.hpp"

#include <fmt/core.h>

#include <iterator>
#include <map>
#include <optional>
#include <string_view>

#include "access/core/error.hpp"
#include "access/core/text.hpp"
#include "access/curl/proxy_choice.hpp"
#include "access/tls/pkcs11_uri.hpp"
#include "cli/curl/curl_certificate.hpp"
#include "cli/curl/curl_options.hpp"

namespace mayfly::cli {
namespace {

// Reads curl's "FILE:PASSWORD". A colon behind a backslash or in a pkcs11: URI is part of the name.
void learn_certificate(IdentityFlags& identity, const std::string& value) {
  identity.certificate.clear();
  if (is_pkcs11_uri(value)) {
    identity.certificate = value;
    return;
  }
  std::size_t i = 0;
  for (; i < value.size() && value[i] != ':'; ++i) {
    if (value[i] == '\\' && i + 1 < value.size()) ++i;
    identity.certificate += value[i];
  }
  if (i + 1 < value.size()) identity.certificate_password = value.substr(i + 1);
}

// The flags of mayfly, which curl does not know.
const std::map<std::string_view, bool& (*)(NetworkFlags&)> flags = {
    {"--batch", [](NetworkFlags& to) -> bool& { return to.interaction.batch; }},
    {"--no-browser", [](NetworkFlags& to) -> bool& { return to.interaction.no_browser; }},
    {"--oauth", [](NetworkFlags& to) -> bool& { return to.interaction.oauth; }},
    {"--auto-close", [](NetworkFlags& to) -> bool& { return to.interaction.auto_close; }},
    {"--fedramp", [](NetworkFlags& to) -> bool& { return to.trust.fedramp; }},
};
const std::map<std::string_view, std::string IdentityFlags::*> values = {
    {"--service-token-id", &IdentityFlags::service_token_id},
    {"--id", &IdentityFlags::service_token_id},
    {"--service-token-secret", &IdentityFlags::service_token_secret},
    {"--secret", &IdentityFlags::service_token_secret},
    {"--service-token-secret-file", &IdentityFlags::service_token_secret_file},
    {"--cert-password-file", &IdentityFlags::certificate_password_file},
};

constexpr std::string_view allow_redirects = "--allow-redirects";

bool allows_request(std::string_view word) {
  return is_among(word, {"--allow-request", "-ar"});
}

// Walks once over the arguments.
class Reader {
 public:
  explicit Reader(const std::vector<std::string>& arguments) : all_(arguments) {}

  CurlArguments read() {
    while (next_ < all_.size()) read_one(all_[next_++]);
    if (!only_urls_) result_.parts.back().back = unfinished_.value_or(result_.arguments.size());
    return std::move(result_);
  }

 private:
  void read_one(const std::string& word) {
    if (only_urls_ || word.size() < 2 || word[0] != '-') {
      result_.urls.push_back(word);
      keep(word);
    } else if (word == "--") {
      only_urls_ = true;
      result_.parts.back().back = result_.arguments.size();
      keep(word);
    } else if (allows_request(word)) {
      result_.token = CurlArguments::Token::optional;
    } else if (word == allow_redirects) {
      result_.redirects = CurlArguments::Redirects::allowed;
    } else if (word.starts_with("--")) {
      read_long(word);
    } else {
      read_short(word);
    }
  }

  void read_long(const std::string& word) {
    if (read_ours(word)) return;
    const std::size_t place = keep(word);
    const CurlOption option = read_curl_option(word);
    const std::string value = !option.takes_value ? ""
                              : option.value      ? *option.value
                                                  : take_value();
    notice(option, word.substr(0, word.find('=')), value);
    if (option.name == "next") begin_part(place);
    if (option.name == "insecure") result_.network.trust.insecure = !option.is_negated;
    if (option.is_expanded) result_.reach = CurlArguments::Reach::open;
    if (option.takes_value && !option.is_expanded) learn(option.name, value);
  }

  // Reads letters ("-sSLo file") up to the first that takes a value: the rest or the next word.
  void read_short(const std::string& word) {
    const std::size_t place = keep(word);
    bool is_parted = false;
    for (std::size_t i = 1; i < word.size(); ++i) {
      const CurlOption option = read_curl_letter(word[i]);
      const std::string spelling = {'-', word[i]};
      if (option.takes_value) {
        const std::string value = i + 1 < word.size() ? word.substr(i + 1) : take_value();
        notice(option, spelling, value);
        learn(option.name, value);
        break;
      }
      notice(option, spelling, "");
      if (option.name == "insecure") result_.network.trust.insecure = true;
      is_parted = is_parted || option.name == "next";
    }
    if (is_parted) begin_part(place);
  }

  // Records an option whose words have been kept.
  void notice(const CurlOption& option, const std::string& spelling, const std::string& value) {
    result_.options.push_back({.name = option.name,
                               .spelling = spelling,
                               .value = value,
                               .word = result_.arguments.size() - 1,
                               .is_negated = option.is_negated,
                               .is_expanded = option.is_expanded});
    if (is_among(option.name, {"", "alt-svc", "config", "follow", "location", "location-trusted",
                               "proto-default"}))
      result_.reach = CurlArguments::Reach::open;
  }

  // Begins a part at the word at this place, which has been kept with its value.
  void begin_part(std::size_t place) {
    result_.parts.back().back = place;
    result_.parts.push_back({.front = result_.arguments.size()});
  }

  void learn(std::string_view name, const std::string& value) {
    if (name == "url") learn_url(value);
    auto& [identity, trust, interaction, logging] = result_.network;
    if (name == "cert") learn_certificate(identity, value);
    if (name == "cert-type") result_.names_certificate_type = true;
    if (name == "key") identity.key = value;
    if (name == "pass") identity.certificate_password = value;
    if (is_among(name, {"cert", "key"}) && is_pkcs11_uri(value))
      replace_value(value, certificate_for_curl(value));
    if (name == "cacert") trust.ca_file = value;
    if (name == "proxy") {
      trust.proxy = value;
      replace_value(value, proxy_for_curl(value));
    }
    if (name == "connect-to") trust.connect_to.push_back(value);
    if (name == "resolve") trust.resolve.push_back(value);
  }

  // "@FILE" is a list of URLs (since curl 8.13).
  void learn_url(const std::string& value) {
    if (value.starts_with('@'))
      result_.reach = CurlArguments::Reach::open;
    else
      result_.urls.push_back(value);
  }

  bool read_ours(const std::string& word) {
    if (const auto flag = flags.find(word); flag != flags.end()) {
      flag->second(result_.network) = true;
      return true;
    }
    const auto equals = word.find('=');
    const auto value = values.find(std::string_view(word).substr(0, equals));
    if (value == values.end()) return false;
    if (equals == std::string::npos && next_ >= all_.size()) {
      throw Error(ErrorKind::usage, fmt::format("{} needs a value", word),
                  "run: mayfly access curl --help");
    }
    result_.network.identity.*value->second =
        equals == std::string::npos ? all_[next_++] : word.substr(equals + 1);
    return true;
  }

  std::string take_value() {
    if (next_ >= all_.size()) {
      unfinished_ = result_.arguments.size() - 1;
      return {};
    }
    keep(all_[next_]);
    return all_[next_++];
  }

  // Replaces the value in the last kept word, which is the value or ends with it.
  void replace_value(const std::string& value, const std::string& replacement) {
    std::string& word = result_.arguments.back();
    word.replace(word.size() - value.size(), value.size(), replacement);
  }

  // Returns the position of the word among the kept words.
  std::size_t keep(const std::string& word) {
    result_.arguments.push_back(word);
    return result_.arguments.size() - 1;
  }

  const std::vector<std::string>& all_;
  std::size_t next_ = 0;
  bool only_urls_ = false;
  std::optional<std::size_t> unfinished_;  // the position of an option that lacks its value
  CurlArguments result_;
};

}  // namespace

CurlArguments parse_curl_arguments(const std::vector<std::string>& arguments) {
  return Reader(arguments).read();
}

bool is_ours(std::string_view flag) {
  return allows_request(flag) || flag == allow_redirects || flags.contains(flag) ||
         values.contains(flag);
}

}  // namespace mayfly::cli
