#include "access/forward/click_page.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "access/core/text.hpp"

namespace mayfly {
namespace {

std::string escaped(std::string_view text) {
  std::string html;
  for (const char c : text) switch (c) {
      case '&':
        html += "&amp;";
        break;
      case '<':
        html += "&lt;";
        break;
      case '>':
        html += "&gt;";
        break;
      case '"':
        html += "&quot;";
        break;
      case '\'':
        html += "&#39;";
        break;
      default:
        html += c;
    }
  return html;
}

// Browsers drop tabs and line ends from an address, and take a backslash for a slash (URL Standard,
// section 4.4). They percent-encode what is not ASCII before they send it.
bool is_sent_by_browsers(char c) {
  return c > ' ' && c <= '~' && c != '\\';
}

// A query may hold the code of a login, which need not be read from the screen.
std::string shown(std::string_view link) {
  return printable(link.substr(0, link.find('?')));
}

}  // namespace

std::string link_to(std::string_view path) {
  if (!path.starts_with('/') || !std::ranges::all_of(path, is_sent_by_browsers)) return "";
  // "//host/" would name another host; "/./" is removed (RFC 3986 section 5.2.4), and leaves "//".
  return path.starts_with("//") ? fmt::format("/.{}", path) : std::string(path);
}

std::string click_page_body(std::string_view message, std::string_view link) {
  return fmt::format(
      "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>mayfly: go on?</title>\n"
      "<p>mayfly: {}.</p>\n"
      "<p>If you are logging in to the application, or have opened it yourself, go on to "
      "<a href=\"{}\" rel=\"noreferrer\">{}</a>. If not, close this page: the application has been "
      "sent nothing.</p>\n"
      "</html>\n",
      escaped(message), escaped(link), escaped(shown(link)));
}

}  // namespace mayfly
