// curl's long options: which there are, and which of them take a value.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace mayfly::cli {

struct CurlOption {
  std::string_view name;  // the whole name; "" when it is none that is known here, or ambiguous
  bool takes_value = false;
  bool is_negated = false;                // --no-NAME
  bool is_expanded = false;               // --expand-NAME: curl puts variables into the value
  std::optional<std::string> value = {};  // of --NAME=VALUE (curl 8.16 on)
};

// word: "--NAME". As curl 7.88 does, the beginning of a name counts for it where no other begins
// so.
CurlOption read_curl_option(std::string_view word);

// Returns the option that a letter of "-sSo" stands for; its name is "" if the letter is unknown.
CurlOption read_curl_letter(char letter);

}  // namespace mayfly::cli
