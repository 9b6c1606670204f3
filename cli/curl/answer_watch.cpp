#include "cli/curl/answer_watch.hpp"

#include <charconv>

#include "access/answer/login.hpp"
#include "access/answer/marks.hpp"
#include "access/core/error.hpp"
#include "access/core/text.hpp"
#include "access/http1/head.hpp"

namespace mayfly::cli {
namespace {

// Returns the number in "HTTP/1.1 401 Unauthorized" or "HTTP/2 401", or 0.
int status_in(std::string_view line) {
  if (!line.starts_with("HTTP/")) return 0;
  line.remove_prefix(std::min(line.find(' '), line.size()));
  line = trim(line);
  int status = 0;
  std::from_chars(line.data(), line.data() + line.size(), status);
  return status;
}

Response response_in(std::string_view head) {
  Response response;
  for (std::string_view line : split(head, '\n')) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (response.status == 0)
      response.status = status_in(line);
    else if (const auto field = read_field(line))
      response.headers.add(field->name, field->value);
  }
  return response;
}

}  // namespace

void AnswerWatch::feed(std::string_view bytes) {
  held_ += bytes;
  while (const auto end = find_head_end(held_)) {
    judge(std::string_view(held_).substr(0, end->head));
    held_.erase(0, end->all);
  }
  if (held_.size() > most_head) held_.clear();
}

void AnswerWatch::read_redirect(const Response& response) {
  next_.reset();
  const std::string_view location = response.headers.find("Location");
  redirects_ = response.status >= 300 && response.status <= 399 && !location.empty();
  if (!redirects_) return;
  try {
    next_ = resolve_location(url_, location);
  } catch (const Error&) {  // leads_elsewhere()
  }
}

void AnswerWatch::judge(std::string_view head) {
  Response response = response_in(head);
  read_redirect(response);
  const bool is_refusal =
      is_refusal_of_access(url_, response.status, response.headers) ||
      wants_login(url_, response.status, response.headers, [this] { return team_; });
  if (is_refusal && !refusal_) refusal_ = std::move(response);
}

}  // namespace mayfly::cli
