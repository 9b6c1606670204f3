#include "cli/curl/curl_arguments.hpp"

#include <fmt/core.h>

#include <iterator>
#include <map>
#include <optional>
#include <string_view>

#include "access/core/error.hpp"
#include "access/tls/pkcs11_uri.hpp"
#include "cli/curl/curl_certificate.hpp"
#include "cli/curl/curl_options.hpp"

namespace mayfly::cli {
namespace {

// curl's "FILE:PASSWORD"; a colon behind a backslash or in a pkcs11: URI is part of the name.
void learn_certificate(NetworkFlags& network, const std::string& value) {
  network.certificate.clear();
  if (is_pkcs11_uri(value)) {
    network.certificate = value;
    return;
  }
  std::size_t i = 0;
  for (; i < value.size() && value[i] != ':'; ++i) {
    if (value[i] == '\\' && i + 1 < value.size()) ++i;
    network.certificate += value[i];
  }
  if (i + 1 < value.size()) network.certificate_password = value.substr(i + 1);
}

// Our own flags, which curl does not know.
const std::map<std::string_view, bool NetworkFlags::*> flags = {
    {"--batch", &NetworkFlags::batch},
    {"--no-browser", &NetworkFlags::no_browser},
    {"--auto-close", &NetworkFlags::auto_close},
    {"--fedramp", &NetworkFlags::fedramp},
};
const std::map<std::string_view, std::string NetworkFlags::*> values = {
    {"--service-token-id", &NetworkFlags::service_token_id},
    {"--id", &NetworkFlags::service_token_id},
    {"--service-token-secret", &NetworkFlags::service_token_secret},
    {"--secret", &NetworkFlags::service_token_secret},
    {"--service-token-secret-file", &NetworkFlags::service_token_secret_file},
    {"--cert-password-file", &NetworkFlags::certificate_password_file},
};

constexpr std::string_view allow_redirects = "--allow-redirects";

bool allows_request(std::string_view word) {
  return word == "--allow-request" || word == "-ar";
}

// One walk over the arguments; a table says what each option means to us.
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
    if (option.name == "insecure") result_.network.insecure = !option.is_negated;
    if (option.is_expanded) result_.reach = CurlArguments::Reach::open;
    if (option.takes_value && !option.is_expanded) learn(option.name, value);
  }

  // "-sSLo file": letters up to the first that takes a value, which is the rest or the next word.
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
      if (option.name == "insecure") result_.network.insecure = true;
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
    for (const std::string_view leading_away :
         {"", "alt-svc", "config", "follow", "location", "location-trusted", "proto-default"})
      if (option.name == leading_away) result_.reach = CurlArguments::Reach::open;
  }

  // By the word at this place, which has been kept with its value.
  void begin_part(std::size_t place) {
    result_.parts.back().back = place;
    result_.parts.push_back({.front = result_.arguments.size()});
  }

  void learn(std::string_view name, const std::string& value) {
    if (name == "url") learn_url(value);
    if (name == "cert") learn_certificate(result_.network, value);
    if (name == "cert-type") result_.names_certificate_type = true;
    if (name == "key") result_.network.key = value;
    if (name == "pass") result_.network.certificate_password = value;
    if ((name == "cert" || name == "key") && is_pkcs11_uri(value)) replace_value(value);
    if (name == "cacert") result_.network.ca_file = value;
    if (name == "proxy") result_.network.proxy = value;
    if (name == "connect-to") result_.network.connect_to.push_back(value);
    if (name == "resolve") result_.network.resolve.push_back(value);
  }

  // "@FILE" is a list of URLs (curl 8.13 on).
  void learn_url(const std::string& value) {
    if (value.starts_with('@'))
      result_.reach = CurlArguments::Reach::open;
    else
      result_.urls.push_back(value);
  }

  bool read_ours(const std::string& word) {
    if (const auto flag = flags.find(word); flag != flags.end()) {
      result_.network.*flag->second = true;
      return true;
    }
    const auto equals = word.find('=');
    const auto value = values.find(std::string_view(word).substr(0, equals));
    if (value == values.end()) return false;
    if (equals == std::string::npos && next_ >= all_.size()) {
      throw Error(ErrorKind::usage, fmt::format("{} needs a value", word),
                  "run: mayfly access curl --help");
    }
    result_.network.*value->second =
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

  // In the word that was kept last, which is the value or ends with it.
  void replace_value(const std::string& uri) {
    std::string& word = result_.arguments.back();
    word.replace(word.size() - uri.size(), uri.size(), certificate_for_curl(uri));
  }

  // Where.
  std::size_t keep(const std::string& word) {
    result_.arguments.push_back(word);
    return result_.arguments.size() - 1;
  }

  const std::vector<std::string>& all_;
  std::size_t next_ = 0;
  bool only_urls_ = false;
  std::optional<std::size_t> unfinished_;  // where an option is that lacks its value
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
