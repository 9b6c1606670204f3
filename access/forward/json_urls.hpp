// The application's URLs in a JSON text that passes in pieces, as those of the listener.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "access/forward/local_urls.hpp"
#include "access/http1/head.hpp"

namespace mayfly {

// Returns whether the body of an answer is JSON whose URLs may be changed, or would be (HEAD, 304).
// They may not if a digest or a signature would then be wrong, if the body is compressed, or if the
// application forbids it (no-transform, RFC 9110 section 7.7).
bool has_json_to_change(const ResponseHead& head);

// Changes each string that is a URL of the application: https, http or without a scheme, and wss
// or ws. It looks at no more than the beginning of a string, and so holds back no more than that.
// A URL inside a text stays, since a program that reads, changes and stores a text would store the
// listener's address in it.
class JsonUrls {
 public:
  explicit JsonUrls(const SitePair& site) : replacements_(replacements(site)) {}

  // Returns the text that is ready after these bytes.
  std::string take(std::string_view bytes);
  // Returns the rest, at the end of the text.
  std::string take_rest() { return std::move(raw_); }

 private:
  enum class Place { between_strings, begin_of_string, in_string };
  enum class Escape { none, begun, unicode };

  std::size_t pass(std::string_view bytes, std::string& out);
  void look_at(char c, std::string& out);
  void decoded(char c, std::string& out);
  void end_of_string(std::string& out);
  void give_up(std::string& out);
  const Replacement* match() const;
  bool may_match() const;

  std::vector<Replacement> replacements_;
  Place place_ = Place::between_strings;
  Escape escape_ = Escape::none;
  std::string raw_, read_;     // the beginning of a string: as it came, and what it means
  std::size_t escape_at_ = 0;  // of the escape in raw_
};

}  // namespace mayfly
