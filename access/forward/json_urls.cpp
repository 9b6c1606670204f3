#include "access/forward/json_urls.hpp"

#include <algorithm>
#include <charconv>

#include "access/core/text.hpp"

namespace mayfly {
namespace {

constexpr std::size_t unicode_escape = 6;  // \uXXXX

// The types of content that a client finds by its digest, or whose signature it checks: the
// manifests of container images, and signed texts (RFC 7515, DSSE).
bool is_bound_by_digest(std::string_view type) {
  return type.starts_with("application/vnd.oci.") || type.starts_with("application/vnd.docker.") ||
         type.starts_with("application/vnd.in-toto") ||
         is_among(type, {"application/jose+json", "application/vnd.dsse.envelope.v1+json"});
}

bool is_json(std::string_view content_type) {
  const std::string type = to_lower(trim(content_type.substr(0, content_type.find(';'))));
  return (type == "application/json" ||
          (type.starts_with("application/") && type.ends_with("+json"))) &&
         !is_bound_by_digest(type);
}

bool is_uncompressed(std::string_view encoding) {
  return encoding.empty() || equals_ignoring_case(encoding, "identity");
}

// RFC 9530, RFC 3230, RFC 1864, and the registry API of Docker.
bool has_digest(const Headers& headers) {
  for (const char* name :
       {"Content-Digest", "Repr-Digest", "Digest", "Content-MD5", "Docker-Content-Digest"})
    if (headers.contains(name)) return true;
  return false;
}

}  // namespace

bool has_json_to_change(const ResponseHead& head) {
  const auto types = head.headers.all("Content-Type");
  const auto encodings = head.headers.all("Content-Encoding");
  const bool has_type = types.empty() ? head.status == 304 : types.size() == 1;
  return has_type && std::ranges::all_of(types, is_json) &&
         std::ranges::all_of(encodings, is_uncompressed) && !has_digest(head.headers) &&
         !head.headers.lists("Cache-Control", "no-transform");
}

std::string JsonUrls::take(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size() + raw_.size());
  while (!bytes.empty()) {
    const std::size_t passed = pass(bytes, out);
    bytes.remove_prefix(passed);
    if (bytes.empty() || place_ != Place::begin_of_string) continue;
    look_at(bytes.front(), out);
    bytes.remove_prefix(1);
  }
  return out;
}

// Copies what needs no look, up to the beginning of a string. Returns its size.
std::size_t JsonUrls::pass(std::string_view bytes, std::string& out) {
  std::size_t size = 0;
  for (; size < bytes.size() && place_ != Place::begin_of_string; ++size) {
    const char c = bytes[size];
    if (place_ == Place::between_strings) {
      if (c == '"') place_ = Place::begin_of_string;
    } else if (escape_ != Escape::none) {
      escape_ = Escape::none;  // the digits of \uXXXX are like any other character
    } else if (c == '\\') {
      escape_ = Escape::begun;
    } else if (c == '"') {
      place_ = Place::between_strings;
    }
  }
  out += bytes.substr(0, size);
  return size;
}

// Takes one byte of the beginning of a string.
void JsonUrls::look_at(char c, std::string& out) {
  if (escape_ == Escape::none && c == '"') return end_of_string(out);
  if (escape_ == Escape::none) escape_at_ = raw_.size();
  raw_ += c;
  if (escape_ == Escape::none) {
    c == '\\' ? void(escape_ = Escape::begun) : decoded(c, out);
  } else if (escape_ == Escape::begun) {
    escape_ = c == 'u' ? Escape::unicode : Escape::none;
    if (c == '/') return decoded(c, out);
    if (c != 'u') give_up(out);
  } else if (raw_.size() == escape_at_ + unicode_escape) {
    escape_ = Escape::none;
    unsigned code = 0;
    const char* const end = raw_.data() + raw_.size();
    const auto result = std::from_chars(end - 4, end, code, 16);
    if (result.ec != std::errc() || result.ptr != end || code > 0x7f) return give_up(out);
    decoded(static_cast<char>(code), out);
  }
}

void JsonUrls::decoded(char c, std::string& out) {
  if (const auto* found = match(); found != nullptr && (c == '/' || c == '?' || c == '#')) {
    out += found->to;
    raw_.erase(0, escape_at_);
    return give_up(out);
  }
  read_ += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  if (!may_match()) give_up(out);
}

void JsonUrls::end_of_string(std::string& out) {
  if (const auto* found = match()) raw_ = found->to;
  give_up(out);
  out += '"';
  place_ = Place::between_strings;
}

// Lets the string pass from here on.
void JsonUrls::give_up(std::string& out) {
  out += raw_;
  raw_.clear();
  read_.clear();
  place_ = Place::in_string;
}

const Replacement* JsonUrls::match() const {
  const auto found = std::ranges::find(replacements_, read_, &Replacement::from);
  return found == replacements_.end() ? nullptr : &*found;
}

bool JsonUrls::may_match() const {
  return std::ranges::any_of(replacements_,
                             [&](const Replacement& one) { return one.from.starts_with(read_); });
}

}  // namespace mayfly
