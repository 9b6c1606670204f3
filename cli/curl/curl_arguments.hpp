// Reads a command line of curl: its URLs, the flags of mayfly in it, and the options of curl that
// also serve mayfly's requests.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "cli/flags/network_flags.hpp"

namespace mayfly::cli {

struct CurlArguments {
  std::vector<std::string> arguments;  // for curl, without the flags of mayfly
  std::vector<std::string> urls;       // at any place among the arguments
  // optional: --allow-request, -ar.
  enum class Token { required, optional } token = Token::required;
  // allowed: --allow-redirects. An application can redirect curl to a path of Access, which hands
  // the token that curl carries to the address that the URL names.
  enum class Redirects { refused, allowed } redirects = Redirects::refused;
  // open: the request may go to another host than the URL's, or over plain HTTP, since curl follows
  // redirects, or since an option is unknown or in a file that was not read.
  enum class Reach { one_host, open } reach = Reach::one_host;
  bool names_certificate_type = false;  // --cert-type
  // The positions in `arguments` before and after the options between two --next.
  struct Part {
    std::size_t front = 0, back = 0;
  };
  std::vector<Part> parts = {{}};
  // An option of curl's, in the order of the command line.
  struct Option {
    std::string_view name;  // the long name; "" if it is unknown
    std::string spelling;   // as it was written, without its value
    std::string value;
    std::size_t word = 0;  // the word of `arguments` that is the value or ends with it
    bool is_negated = false, is_expanded = false;
  };
  std::vector<Option> options;
  NetworkFlags network;  // from mayfly's flags and curl's --cert --key --cacert --proxy ...
};

// Throws usage Error if a flag of mayfly lacks its value. curl judges its own options.
CurlArguments parse_curl_arguments(const std::vector<std::string>& arguments);

// Returns whether a flag ("--batch") is mayfly's and not passed to curl.
bool is_ours(std::string_view flag);

}  // namespace mayfly::cli
