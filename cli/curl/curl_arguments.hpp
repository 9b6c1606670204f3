// What a curl command line means for us: which URL, and which of curl's options our own requests
// share.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "cli/flags/network_flags.hpp"

namespace mayfly::cli {

struct CurlArguments {
  std::vector<std::string> arguments;  // for curl, without ours
  std::vector<std::string> urls;       // wherever they stand
  enum class Token {
    required,
    optional
  } token = Token::required;  // optional: --allow-request, -ar
  // allowed: --allow-redirects. An application can lead curl to a path of Access, where the token
  // that curl carries would be handed to whoever is named in the URL.
  enum class Redirects { refused, allowed } redirects = Redirects::refused;
  // The request may travel to another host than the URL's, or over plain HTTP: redirects are
  // followed, or options that we cannot see (a configuration file) or do not know may say so.
  enum class Reach { one_host, open } reach = Reach::one_host;
  bool names_certificate_type = false;  // --cert-type
  // Where in `arguments` options can be put: before all others of what --next parts, and after.
  struct Part {
    std::size_t front = 0, back = 0;
  };
  std::vector<Part> parts = {{}};
  // An option of curl's, in the order of the command line.
  struct Option {
    std::string_view name;  // the long name, "" if it is unknown
    std::string spelling;   // as it was written, without its value
    std::string value;
    std::size_t word = 0;  // the word of `arguments` that is the value, or ends with it
    bool is_negated = false, is_expanded = false;
  };
  std::vector<Option> options;
  NetworkFlags
      network;  // curl's --cert --key --cacert --proxy --connect-to --resolve -k, and our own flags
};

// Throws usage Error when one of our own flags lacks its value. curl judges its own options itself.
CurlArguments parse_curl_arguments(const std::vector<std::string>& arguments);

// Whether a flag ("--batch") is taken out of curl's arguments, since curl does not know it.
bool is_ours(std::string_view flag);

}  // namespace mayfly::cli
