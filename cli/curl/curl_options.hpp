// The options of curl, and whether they take a value.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace mayfly::cli {

struct CurlOption {
  std::string_view name;  // the whole name; "" if it is unknown or ambiguous
  bool takes_value = false;
  bool is_negated = false;                // --no-NAME
  bool is_expanded = false;               // --expand-NAME: curl puts variables into the value
  std::optional<std::string> value = {};  // of --NAME=VALUE (since curl 8.16)
};

// Reads "--NAME". As in curl 7.88 the beginning of a name is enough if no other name begins so.
CurlOption read_curl_option(std::string_view word);

// Returns the option that a letter of "-sSo" stands for; its name is "" if the letter is unknown.
CurlOption read_curl_letter(char letter);

}  // namespace mayfly::cli
